import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { onlyOutput } from "../../src/graph/walk.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import type { InitialValues } from "../../src/network/initial-values.ts";
import { forward } from "../../src/network/passes.ts";
import { largestIndex } from "../../src/tasks/classification/largest-index.ts";
import { initializeRanges } from "../../src/training/initial-ranges.ts";
import { stepGates } from "../../src/training/loop.ts";
import { createModel, type Model } from "../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../src/training/pass.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";
import { disposeModel } from "../fixtures/random-models.ts";
import {
  batchOf,
  classes,
  largestOf,
  patterns,
  placesNetwork,
  reparametrizations,
  reparametrized,
  task,
  trainedValues,
} from "../fixtures/reparametrized.ts";

const { ops } = await anyEngine();
const plain = placesNetwork();
const training = patterns("training", 300);
const test = patterns("test", 1000);
const values = trainedValues(ops, training);

function valuesOf(model: Model, id: string, data = test): Float32Array {
  let found: Float32Array | undefined;
  ops.scope(
    () => {
      const inputs = soleInput(model.network, batchOf(ops, data).images);
      forward(model.network, passOf(model, testTimeGates(model), inputs, { training: false }), {
        keep: false,
        observe: (node, output) => {
          if (node.id === id) found = Float32Array.from(ops.read(output));
        },
      });
    },
    () => [],
  );
  return found!;
}

function top1(model: Model): number {
  const logits = valuesOf(model, onlyOutput(model.network));
  const right = test.labels.filter((label, image) => largestIndex(logits, image * classes, classes) === label);
  return (100 * right.length) / test.count;
}

/** The network in float32, with these values. */
function inFloat<T>(initial: InitialValues, look: (model: Model) => T): T {
  const model = createModel(plain, { ops, seed: 1, quantizers: new Map(), initial });
  const seen = look(model);
  disposeModel(model);
  return seen;
}

/** Top-1 at 8 bits, with first ranges from the training images and so many steps after them. */
function quantized(initial: InitialValues, weightRanges: "per-tensor" | "per-channel", steps: number): number {
  const { method: settings } = configSchema.parse({
    ...{ name: "test", data: { name: "mnist" }, network: { name: "lenet5" }, training: { epochs: 1 } },
    method: { name: "fixed", weights: 8, activations: 8, weightRanges },
  });
  const method = createMethod(settings, 1);
  const network = method.prepare(plain);
  const model = createModel(network, { ops, seed: 1, quantizers: method.quantizers(network), initial });
  initializeRanges(
    model,
    () => batchOf(ops, training).images,
    () => stepGates(model, 1, 0),
  );
  const adam = { optimizer: "adam", weightDecay: 0 } as const;
  const trainer = new Trainer(model, { weights: adam, gates: adam, ranges: adam });
  for (let step = 0; step < steps; step++) {
    trainer.train(() => batchOf(ops, training), stepGates(model, 1, step), {
      ...{ task, priorStrength: 0 },
      // As a trained network is refined: a tenth of what one begins with.
      learningRates: { weights: 1e-4 * (1 - step / steps), gates: 0, ranges: 1e-3 },
    });
  }
  const found = top1(model);
  trainer.weights.dispose();
  disposeModel(model);
  return found;
}

const size = inFloat(values, (model) => largestOf(valuesOf(model, "pool2", training)));
const float = inFloat(values, top1);
const near = (found: number, what: string) =>
  expect(found >= float - 0.5, `${what}: ${found} %, in float32 ${float} %`);

t.test("factors, signs and shifts between layers change nothing at 8 bits", async (t) => {
  t.ok(float > 98 && float < 100, `${float} %`);
  lawHolds(
    t,
    reparametrizations,
    (drawn) => {
      const other = reparametrized(values, size, drawn);
      const same = inFloat(other, top1);
      expect(Math.abs(same - float) < 0.15, `another network: ${same} %`);
      for (const ranges of ["per-tensor", "per-channel"] as const) near(quantized(other, ranges, 0), ranges);
    },
    25,
  );
});

t.test("factors and signs between layers change nothing in training", async (t) => {
  const unshifted = reparametrizations.map((drawn) => ({ ...drawn, shift: 0 }));
  lawHolds(
    t,
    unshifted,
    (drawn) => near(quantized(reparametrized(values, size, drawn), "per-tensor", 10), "trained"),
    8,
  );
});
