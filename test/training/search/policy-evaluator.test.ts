import t from "tap";
import type { ByteBatch } from "../../../src/data/dataset.ts";
import { elementsOf } from "../../../src/graph/shape.ts";
import { onlyInput } from "../../../src/kinds/index.ts";
import { imageShape } from "../../../src/kinds/windows.ts";
import type { Policy } from "../../../src/methods/autoq/search-space.ts";
import { layersOf } from "../../../src/network/layers.ts";
import { lenet5 } from "../../../src/network/zoo/lenet5.ts";
import { gatedNodes } from "../../../src/quantizers/gated-nodes.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { CalibrationImages } from "../../../src/training/layerwise/calibration-images.ts";
import { PolicyEvaluator } from "../../../src/training/search/policy-evaluator.ts";
import { parameterValues } from "../../../src/training/snapshot.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { begin } from "../../fixtures/layerwise.ts";

const { ops } = await anyEngine();
const network = lenet5({ inputShape: [28, 28, 1], classes: 10, widths: [4, 6, 12] });
const { float, model } = begin(network, { name: "nearest" });
const shape = imageShape("input", onlyInput(network).shape);
const normalization = { mean: [0.4], deviation: [0.3] };
const count = 24;
const images = Uint8Array.from({ length: count * 28 * 28 }, (_, index) => (index * index * 31 + index) % 251);
const task = createTask({ name: "classification" }, { kind: "classes", names: Array.from("0123456789") });

function evaluatorFor(batch: ByteBatch): PolicyEvaluator {
  const calibration = new CalibrationImages(images.length / elementsOf(shape), images, { normalization });
  return new PolicyEvaluator({
    ...{ float, quantized: model.network, task, normalization, calibration },
    images: [batch],
    gated: gatedNodes(model.network),
    activationWidths: [2, 4, 8],
  });
}

const classes = (values: Int32Array) => ({ kind: "classes" as const, values });
const batchOf = (labels: Int32Array): ByteBatch => ({ count, images: images.slice(), targets: classes(labels) });
const uniform = (weights: number, activations: number): Policy => ({
  weights: layersOf(network).map(({ weightShape }) => new Uint8Array(weightShape.at(-1)!).fill(weights)),
  activations: layersOf(network).map(() => activations),
});

t.test("kernels have their own bits; those of 0 bits are zeros", async (t) => {
  const before = ops.liveTensors();
  const evaluator = evaluatorFor(batchOf(new Int32Array(count)));
  const [weight] = layersOf(network);
  const held = parameterValues(float, weight!.weight);
  const largest = held.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const rounded = evaluator.kernelsOf(0).weight(new Uint8Array(4).fill(8));
  t.ok(rounded.every((value, index) => Math.abs(value - held[index]!) <= largest / 254 + 1e-6));
  const mixed = evaluator.kernelsOf(0).weight(Uint8Array.of(0, 8, 2, 8));
  t.ok(mixed.every((value, index) => index % 4 !== 0 || value === 0));
  t.ok(
    mixed.every((value, index) => index % 4 === 0 || index % 4 === 2 || value === rounded[index]),
    "others stay",
  );
  const first = evaluator.evaluate(uniform(2, 2));
  evaluator.evaluate(uniform(4, 8));
  t.strictSame(evaluator.evaluate(uniform(2, 2)), first, "what was asked before does not matter");
  evaluator.dispose();
  t.equal(ops.liveTensors(), before, "nothing is left over");
});

t.test("8 bits everywhere answer as float32 does, fewer bits otherwise", async (t) => {
  /** Share of the images that get each class. */
  const answers = (policy: Policy | null) =>
    Array.from({ length: 10 }, (_, label) => {
      const evaluator = evaluatorFor(batchOf(new Int32Array(count).fill(label)));
      const share = evaluator.evaluate(policy).top1!;
      evaluator.dispose();
      return share;
    });
  const apart = (one: readonly number[], other: readonly number[]) =>
    one.reduce((sum, share, label) => sum + Math.abs(share - other[label]!) / 2, 0);
  const exact = answers(null);
  t.ok(Math.abs(exact.reduce((sum, share) => sum + share, 0) - 100) < 1e-6, "each image gets one");
  t.ok(apart(answers(uniform(8, 8)), exact) <= 100 / 8, "at most 3 of 24 images change");
  t.ok(answers(uniform(0, 8)).includes(100), "without weights all images get one class");
});
