import t from "tap";
import type { Tensor } from "../../src/engine/ops.ts";
import { ExactValues } from "../../src/export/exact-values.ts";
import { floatError } from "../../src/export/float-error.ts";
import type { FrozenNetwork } from "../../src/export/frozen-network.ts";
import { Reference } from "../../src/export/reference.ts";
import { anyEngine, random } from "../fixtures/engines.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../fixtures/random-models.ts";

const { ops } = await anyEngine();
const images = 2;

/** Every node's value by the engine's kernels, for the same images. */
function values(network: FrozenNetwork): ReadonlyMap<string, Float32Array> {
  const reference = new Reference(ops, network);
  const read = ops.scope(
    () => {
      const tensors = new Map<string, Tensor>();
      for (const node of network.nodes) {
        const shape = [images, ...node.outputShape];
        const inputs = node.inputs.map((id) => tensors.get(id)!);
        const value =
          node.kind === "input" ? ops.tensor(random(3, "images", shape), shape) : reference.evaluateNode(node, inputs);
        tensors.set(node.id, value);
      }
      return new Map(Array.from(tensors, ([id, tensor]) => [id, Float32Array.from(ops.read(tensor))]));
    },
    () => [],
  );
  reference.release();
  return read;
}

for (const [name, make] of Object.entries(narrowNetworks)) {
  t.test(`${name}: each node in float64 is what the engine's kernels approximate`, async (t) => {
    const model = randomModel(ops, { network: make(), seed: 6, bits: [8], pruned: 0.3 });
    const network = freezeModel(model);
    disposeModel(model);
    const all = values(network);
    const exact = new ExactValues(network.nodes, { magnitudes: false });
    const magnitudes = new ExactValues(network.nodes, { magnitudes: true });
    for (const node of network.nodes) {
      if (node.kind === "input" || node.kind === "quantizer") continue;
      const known = new Map(node.inputs.map((id) => [id, all.get(id)!]));
      const [element, magnitude] = [exact.of(node.id, known), magnitudes.of(node.id, known)];
      const value = all.get(node.id)!;
      let worst = 0;
      // A step that meets all images, places and channels.
      for (let index = 0; index < value.length; index += 1 + Math.floor(value.length / 97)) {
        worst = Math.max(worst, Math.abs(value[index]! - element(index)) / (magnitude(index) + 1e-9));
      }
      t.ok(worst < 1e-6, `${node.id} (${node.kind}): ${worst}`);
    }
  });
}

t.test("what a layer normalization may be off by follows its row's deviation, not its epsilon", async (t) => {
  const units = 256;
  const row = random(9, "row", [units], 3);
  const input = { kind: "input", dtype: "float32", id: "x", inputs: [], outputShape: [units] } as const;
  const [scale, shift] = [new Float32Array(units).fill(1), new Float32Array(units)];
  const norm = {
    kind: "layer-norm",
    id: "norm",
    inputs: ["x"],
    outputShape: [units],
    scale,
    shift,
    epsilon: 1e-5,
  } as const;
  const magnitudes = new ExactValues([input, norm], { magnitudes: true });
  const off = floatError({ name: "norm", from: [input], nodes: [norm, { ...norm, id: "end", inputs: ["norm"] }] });
  for (const index of [0, 100, 255]) {
    const magnitude = magnitudes.of("norm", new Map([["x", row]]))(index);
    t.ok(magnitude >= 1, "a share of its numbers");
    t.ok((magnitude * off) / (6 / 255) < 0.05, `${magnitude}: a small part of a step of 8 bits within ±3`);
  }
});

t.test("what is not known and cannot be computed is a defect", async (t) => {
  const model = randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 6 });
  const network = freezeModel(model);
  disposeModel(model);
  t.throws(
    () => new ExactValues(network.nodes, { magnitudes: false }).of(network.output, new Map())(0),
    /must be known/,
  );
});
