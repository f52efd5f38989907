import t from "tap";
import { configSchema } from "../../../src/config/schema.ts";
import { at, first, last } from "../../../src/core/elements.ts";
import type { Network } from "../../../src/kinds/index.ts";
import { onlyInput } from "../../../src/kinds/index.ts";
import type { Policy } from "../../../src/methods/autoq/search-space.ts";
import { createMethod } from "../../../src/methods/create-method.ts";
import { mergeBatchNorm, mergeValues } from "../../../src/methods/layerwise/merge-batch-norm.ts";
import { layersOf } from "../../../src/network/layers.ts";
import { forward } from "../../../src/network/passes.ts";
import { gatedNodes } from "../../../src/quantizers/gated-nodes.ts";
import { insertQuantizers } from "../../../src/quantizers/insert-quantizers.ts";
import { createTask } from "../../../src/tasks/create-task.ts";
import { createModel } from "../../../src/training/model.ts";
import { passOf, soleInput, testTimeGates } from "../../../src/training/pass.ts";
import { PolicyEvaluator } from "../../../src/training/search/policy-evaluator.ts";
import { settlePolicy } from "../../../src/training/search/settle-policy.ts";
import { allParameterValues } from "../../../src/training/snapshot.ts";
import { anyEngine, random } from "../../fixtures/engines.ts";
import { imagesFor, trained } from "../../fixtures/layerwise.ts";
import { disposeModel, narrowNetworks } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();
const count = 8;

const { method: settings } = configSchema.parse({
  ...{ name: "t", data: { name: "mnist", validationShare: 0.1 }, network: { name: "lenet5" } },
  method: { name: "autoq", target: { relativeBops: 1 } },
  training: { from: "x", epochs: 1 },
});
const method = createMethod(settings, 1);

/** Outputs of a policy as it is measured, and as the network has it that trains on. */
function outputsOf(plain: Network, of: (layer: number, channel: number, isPrunable: boolean) => number) {
  const source = trained(plain);
  // Biases and shifts that are not zero.
  for (const [id, variable] of source.parameters) {
    if (variable.shape.length === 1)
      ops.assign(
        variable,
        random(5, id, variable.shape, 0.5).map((value) => 0.6 + value),
      );
  }
  const network = method.prepare(plain);
  const initial = { parameters: allParameterValues(source), statistics: source.statistics };
  const model = createModel(network, { ops, seed: 3, quantizers: method.quantizers(network), initial });
  const float = createModel(mergeBatchNorm(plain), {
    ...{ ops, seed: 3, quantizers: new Map() },
    initial: mergeValues(plain, { parameters: allParameterValues(model), statistics: model.statistics }),
  });
  const { shape } = onlyInput(plain);
  const colours = last(shape);
  const pixels = random(9, "pixels", [count, ...shape], 127);
  const images = Uint8Array.from(pixels, (value) => 128 + value);
  const normalization = { mean: Array<number>(colours).fill(0.4), deviation: Array<number>(colours).fill(0.3) };
  const seen: Float32Array[] = [];
  const task = createTask({ name: "classification" }, { kind: "classes", names: Array.from("0123456") });
  const evaluator = task.evaluator();
  const hearing = {
    ...task,
    evaluator: () => ({
      add: ({ outputs }: { outputs: Float32Array }) => seen.push(outputs.slice()),
      metrics: evaluator.metrics,
    }),
  } as unknown as typeof task;
  const gated = gatedNodes(network);
  const judge = new PolicyEvaluator({
    ...{ float, task: hearing, normalization, calibration: imagesFor(plain, count) },
    quantized: insertQuantizers(float.network, {}),
    gated,
    images: [{ count, images, targets: { kind: "classes", values: new Int32Array(count) } }],
    activationWidths: [2, 4, 8],
  });
  const layers = layersOf(network);
  const policy: Policy = {
    weights: layers.map(({ weightShape, weightQuantizer }, layer) => {
      const isPrunable = gated.has(weightQuantizer ?? "");
      return Uint8Array.from({ length: last(weightShape) }, (_, channel) => of(layer, channel, isPrunable));
    }),
    activations: layers.map(() => 8),
  };
  judge.evaluate(policy);
  settlePolicy(model, judge, policy);
  const settled = ops.scope(
    () => {
      const inputs = soleInput(network, ops.normalize(ops.tensor(images, [count, ...shape]), normalization));
      const pass = passOf(model, testTimeGates(model), inputs, { training: false });
      return Float32Array.from(ops.read(first(forward(network, pass, { keep: false }).outputs)));
    },
    () => [],
  );
  judge.dispose();
  for (const one of [source, model, float]) disposeModel(one);
  return { measured: at(seen, 0), settled };
}

/** Every second channel is pruned, where a layer may lose any. */
const pruned = (_: number, channel: number, isPrunable: boolean) => (isPrunable && channel % 2 === 1 ? 0 : 8);
const mixed = (layer: number, channel: number) => at([2, 4, 8], (layer + channel) % 3);

for (const [name, make] of Object.entries(narrowNetworks)) {
  t.test(`${name}: what a policy was measured as is what trains on`, async (t) => {
    for (const of of [pruned, mixed]) {
      const { measured, settled } = outputsOf(make(), of);
      const largest = Math.max(...measured.map(Math.abs));
      const worst = Math.max(...measured.map((value, index) => Math.abs(value - at(settled, index))));
      t.ok(worst <= 1e-5 * largest, `${of.name}: ${worst} of ${largest} apart`);
    }
  });
}
