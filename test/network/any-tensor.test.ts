import t from "tap";
import type { Tensor } from "../../src/engine/ops.ts";
import { onlyOutput } from "../../src/graph/walk.ts";
import type { Network } from "../../src/kinds/index.ts";
import { onlyInput } from "../../src/kinds/index.ts";
import { trainingMemory } from "../../src/memory/training-memory.ts";
import { NetworkBuilder } from "../../src/network/builder.ts";
import { layersOf } from "../../src/network/layers.ts";
import { outputShapes } from "../../src/network/output-shapes.ts";
import { backward, forward } from "../../src/network/passes.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { describeGraph } from "../../src/training/describe-graph.ts";
import { createModel } from "../../src/training/model.ts";
import { passOf } from "../../src/training/pass.ts";
import { anyEngine, freeing, near, random } from "../fixtures/engines.ts";

const { ops } = await anyEngine();

/** A sequence and a number go in; what is made of both at every place, and of the number alone, comes out. */
function twoOfEach(): Network {
  const network = new NetworkBuilder();
  const sequence = network.input([3, 2], { id: "sequence" });
  const number = network.flatten("row", network.input([], { id: "number" }));
  const first = network.dense(
    "first",
    network.relu("relu", network.dense("places", sequence, { inputs: 2, outputs: 4 })),
    {
      inputs: 4,
      outputs: 2,
    },
  );
  const wide = network.dense("wide", number, { inputs: 1, outputs: 6 });
  const sum = network.add("sum", network.flatten("flat", first), wide);
  return network.build({ name: "two-of-each", outputs: [sum, wide] });
}

t.test("several inputs and outputs of any rank", async (t) => {
  const network = twoOfEach();
  const shapes = outputShapes(network);
  t.strictSame(
    ["sequence", "number", "row", "places", "sum", "wide"].map((id) => shapes.get(id)),
    [[3, 2], [], [1], [3, 4], [6], [6]],
  );
  t.strictSame(
    layersOf(network).map(({ name, macs, readsPixels }) => [name, macs, readsPixels]),
    [
      ["places", 24, true],
      ["first", 24, false],
      ["wide", 6, true],
    ],
  );
  const graph = describeGraph(network);
  t.strictSame(
    graph.filter(({ inputs }) => inputs.length === 0).map(({ id, shape }) => [id, shape]),
    [
      ["sequence", [3, 2]],
      ["number", []],
    ],
  );
  t.ok(trainingMemory(network, 8).likely > 0);
  t.throws(() => onlyInput(network), { message: "two-of-each: expected one input, it has 2" });
  t.throws(() => onlyOutput(network), { message: "two-of-each: expected one output, it has 2 (sum, wide.biased)" });
});

t.test("gradients of all outputs reach the parameters", async (t) => {
  const network = twoOfEach();
  const model = createModel(network, { ops, seed: 3, quantizers: new Map() });
  const batch = 5;
  const drawn = { sequence: random(1, "sequence", [batch, 3, 2]), number: random(1, "number", [batch]) };
  const upstream = [random(1, "sum", [batch, 6]), random(1, "wide", [batch, 6])];
  const run = <T>(use: (outputs: readonly Tensor[], gradients: () => ReadonlyMap<string, Tensor>) => T): T =>
    freeing(ops, () => {
      const inputs = new Map([
        ["sequence", ops.tensor(drawn.sequence, [batch, 3, 2])],
        ["number", ops.tensor(drawn.number, [batch])],
      ]);
      const pass = {
        ...passOf(model, new Map(), inputs, { training: true, momentum: 0 }),
        ...{ penalty: () => {}, range: () => {}, level: () => {}, wantsFactor: () => false, factorGradient: () => {} },
        decoded: () => {},
      };
      const trace = forward(network, pass, { keep: true });
      const tensors = upstream.map((values) => ops.tensor(values, [batch, 6]));
      return use(trace.outputs, () => backward(network, trace, tensors, pass));
    });
  const loss = () =>
    run((outputs) =>
      outputs.reduce((sum, output, index) => {
        const values = ops.read(output);
        return upstream[index]!.reduce((total, slope, place) => total + slope * values[place]!, sum);
      }, 0),
    );
  const gradients = run((_, gradients) =>
    Array.from(gradients(), ([id, tensor]) => [id, Float32Array.from(ops.read(tensor))] as const),
  );
  t.strictSame(gradients.map(([id]) => id).sort(), [...model.parameters.keys()].sort());
  for (const [id, gradient] of gradients) {
    const variable = model.parameters.get(id)!;
    const values = freeing(ops, () => Float32Array.from(ops.read(ops.value(variable))));
    const measured = values.map((_, index) => {
      const [high, low] = [1e-3, -1e-3].map((step) => {
        ops.assign(
          variable,
          values.map((value, other) => (other === index ? value + step : value)),
        );
        return loss();
      });
      return (high! - low!) / 2e-3;
    });
    ops.assign(variable, values);
    t.doesNotThrow(() => near(gradient, measured, 1e-2), id);
  }
  for (const variable of model.parameters.values()) ops.dispose(variable);
});

t.test("integers go in where a kind of node reads them, and nowhere else", async (t) => {
  const network = new NetworkBuilder();
  const rows = network.input([4], { id: "rows", dtype: "int32" });
  const output = network.dense("fc", rows, { inputs: 4, outputs: 2 });
  t.throws(() => outputShapes(network.build({ name: "wrong", outputs: [output] })), {
    message: 'fc: reads "rows", which is int32, expected float32',
  });
});

t.test("a ReLU that is an output stays where its quantizer is read as well", async (t) => {
  const network = new NetworkBuilder();
  const hidden = network.relu("relu", network.dense("fc1", network.input([4]), { inputs: 4, outputs: 3 }));
  const last = network.dense("fc2", hidden, { inputs: 3, outputs: 2 });
  const quantized = insertQuantizers(network.build({ name: "two", outputs: [last, hidden] }));
  const inputs = new Map(quantized.nodes.map((node) => [node.id, node]));
  t.match(inputs.get("fc1.quantizer"), { inputs: ["relu"], signed: false, rectifies: false });
  t.match(inputs.get("fc2"), { inputs: ["fc1.quantizer", "fc2.weight.quantizer"] });
  t.strictSame(quantized.outputs, ["fc2.biased", "relu"]);
});
