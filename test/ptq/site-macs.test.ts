import t from "tap";
import { within } from "../fixtures/bops.ts";
import { int, ints, node, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, sampleArray } from "../fixtures/ptq.ts";

const operators: Readonly<
  Record<string, { model: Omit<PlainModel, "outputs" | "opset">; shape: readonly number[]; macs: readonly number[] }>
> = {
  "a convolution with groups, strides and padding": {
    model: {
      inputs: [{ name: "x", shape: ["n", 4, 8, 8] }],
      nodes: [node("Conv", ["x", "w"], "y", [int("group", 2), ints("strides", [2, 1]), ints("pads", [1, 0, 1, 0])])],
      tensors: [floats("w", [6, 2, 3, 3])],
    },
    shape: [12, 4, 8, 8],
    // 6 channels of 4 × 6, each a sum of 2 · 3 · 3.
    macs: [6 * 24 * 18],
  },
  "a transposed convolution": {
    model: {
      inputs: [{ name: "x", shape: ["n", 3, 5, 5] }],
      nodes: [node("ConvTranspose", ["x", "w"], "y", [ints("strides", [2, 2])])],
      tensors: [floats("w", [3, 4, 2, 2])],
    },
    shape: [12, 3, 5, 5],
    // Each of 3 · 25 numbers meets 4 · 2 · 2.
    macs: [75 * 16],
  },
  "dense layers, also turned and with a bias": {
    model: {
      inputs: [{ name: "x", shape: ["n", 5, 16] }],
      nodes: [
        node("MatMul", ["x", "w1"], "m"),
        node("Reshape", ["m", "shape"], "flat"),
        node("Gemm", ["flat", "w2", "b"], "g", [int("transB", 1)]),
        node("Gemm", ["g", "w3"], "y"),
      ],
      tensors: [
        ...[floats("w1", [16, 8]), integers("shape", [-1, 40]), floats("w2", [12, 40]), floats("b", [12])],
        floats("w3", [12, 6]),
      ],
    },
    shape: [20, 5, 16],
    macs: [5 * 8 * 16, 12 * 40, 6 * 12],
  },
  "a product by several matrices": {
    model: {
      inputs: [{ name: "x", shape: ["n", 3, 4, 8] }],
      nodes: [node("MatMul", ["x", "w"], "y")],
      tensors: [floats("w", [3, 8, 5])],
    },
    shape: [12, 3, 4, 8],
    macs: [3 * 4 * 5 * 8],
  },
  "a recurrent layer, and a table": {
    model: {
      inputs: [{ name: "x", shape: ["n", 7, 8] }],
      nodes: [
        node("Transpose", ["x"], "steps", [ints("perm", [1, 0, 2])]),
        node("GRU", ["steps", "w", "r"], "states", [int("hidden_size", 5)]),
        node("Gather", ["table", "rows"], "looked"),
        node("ReduceMean", ["looked"], "mean"),
        node("Squeeze", ["states"], "flat", [ints("axes", [1])]),
        node("Transpose", ["flat"], "own", [ints("perm", [1, 0, 2])]),
        node("Add", ["own", "mean"], "y"),
      ],
      tensors: [floats("w", [1, 15, 8]), floats("r", [1, 15, 5]), floats("table", [20, 8]), integers("rows", [3, 4])],
    },
    shape: [12, 7, 8],
    // 7 steps by the numbers of either weight.
    macs: [7 * 15 * 8, 7 * 15 * 5],
  },
};

for (const [what, { model, shape, macs }] of Object.entries(operators)) {
  t.test(`multiply-accumulates for one sample: ${what}`, async (t) => {
    const own = { ...model, opset: 12, outputs: [{ name: "y" }] };
    const { plan } = await within(25, { model: own, arrays: new Map([["x", sampleArray("x", shape)]]) });
    t.strictSame(
      plan!.table.products.map((product) => product.macs),
      macs,
    );
  });
}

t.test("layers inside of subgraphs count each number of their weights once, and read floats", async (t) => {
  const graphOf = (name: string, weight: string) => ({
    ...{ name, type: 5 },
    g: { name, node: [node("MatMul", ["x", weight], `${name}.y`)], output: [{ name: `${name}.y` }] },
  });
  const model: PlainModel = {
    opset: 12,
    inputs: [{ name: "x", shape: ["n", 24] }],
    outputs: [{ name: "z" }],
    nodes: [
      node("ReduceSum", ["x"], "sum", [int("keepdims", 0)]),
      node("Greater", ["sum", "zero"], "large"),
      node("If", ["large"], "y", [graphOf("then_branch", "w1"), graphOf("else_branch", "w2")]),
      node("MatMul", ["x", "w3"], "own"),
      node("Add", ["y", "own"], "z"),
    ],
    tensors: [floats("zero", [], 0), floats("w1", [24, 24]), floats("w2", [24, 24]), floats("w3", [24, 24])],
  };
  const { plan } = await within(20, { model, arrays: new Map([["x", sampleArray("x", [16, 24])]]) });
  const { products, weights } = plan!.table;
  const byLayer = products.map(({ weight, ...product }) => ({ ...product, layer: weights[weight!]!.layers[0] }));
  t.strictSame(byLayer, [
    { activation: 0, macs: 576, layer: "own" },
    { activation: null, macs: 576, layer: "then_branch.y" },
    { activation: null, macs: 576, layer: "else_branch.y" },
  ]);
});

t.test("a recurrent layer's state is in float, whatever the layer reads", async (t) => {
  const model: PlainModel = {
    ...{ opset: 12, inputs: [{ name: "x", shape: [7, "n", 8] }], outputs: [{ name: "y" }, { name: "z" }] },
    nodes: [node("GRU", ["x", "w", "r"], "y", [int("hidden_size", 5)]), node("MatMul", ["x", "v"], "z")],
    tensors: [floats("w", [1, 15, 8]), floats("r", [1, 15, 5]), floats("v", [8, 16])],
  };
  const arrays = new Map([["x", sampleArray("x", [12, 7, 1, 8])]]);
  const { plan } = await within(6, { model, arrays });
  const { products, weights } = plan!.table;
  const ofWeight = (name: string) => products.find(({ weight }) => weights[weight!]!.key.endsWith(` ${name}`));
  t.match(ofWeight("w"), { activation: 0, macs: 7 * 15 * 8 });
  t.match(ofWeight("r"), { activation: null, macs: 7 * 15 * 5 });
  t.match(ofWeight("v"), { activation: 0, macs: 7 * 8 * 16 });
});
