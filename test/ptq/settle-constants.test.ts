import { readFileSync } from "node:fs";
import t from "tap";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { FileGraph } from "../../src/ptq/file-graph.ts";
import { settleConstants } from "../../src/ptq/settle-constants.ts";
import { encodePlain, node } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

for (const [name, sizes] of [
  ["padded", [3, 32, 32]],
  ["mobilenet", [3, 32, 32]],
  ["resnet", [3, 32, 32]],
] as const) {
  t.test(`biases and bounds cast to an input's type are constants: PyTorch's own ${name}`, async (t) => {
    const bytes = readFileSync(`test/fixtures/onnx/pytorch-${name}-dynamo.onnx`);
    const before = readModel(bytes, name).graph.node;
    t.ok(before.some(({ opType }) => opType === "CastLike"));
    const arrays = new Map([["images", sampleArray("images", [24, ...sizes])]]);
    const { layers, encoded, outputs } = await quantized(bytes, arrays, { activations: 8 });
    t.ok(
      layers.every(({ integer }) => integer),
      "kernels of integers for every layer",
    );
    const after = readModel(encoded.bytes, name).graph.node.map(({ opType }) => opType);
    t.notOk(after.includes("CastLike") || after.includes("Expand"), "what made them is gone");
    t.notOk(after.includes("BatchNormalization"), "and normalizations are a part of their convolutions");
    t.ok((outputs[0]?.sqnrDb ?? 0) > 30, `${outputs[0]?.sqnrDb} dB`);
  });
}

const scalar = (name: string, value: number) => ({
  ...{ name, dims: [], dataType: 1, rawData: new Uint8Array(Float32Array.of(value).buffer) },
});

t.test("a bias that a node makes beside something else, bounds of nodes", async (t) => {
  const plain = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
    outputs: [{ name: "y" }, { name: "rest" }],
    nodes: [
      { opType: "Split", name: "s", input: ["both", "lengths"], output: ["bias", "rest"] },
      node("Neg", ["six"], "low"),
      node("Conv", ["x", "w", "bias"], "c"),
      node("Clip", ["c", "low", "six"], "y"),
    ],
    tensors: [floats("both", [10]), integers("lengths", [6, 4]), scalar("six", 6), floats("w", [6, 3, 3, 3])],
  };
  const arrays = new Map([["x", sampleArray("x", [8, 3, 8, 8])]]);
  const { layers, grids, outputs } = await quantized(encodePlain(plain), arrays, { activations: 8 });
  t.match(layers, [{ integer: true }]);
  t.ok(grids.has("y"), "the grid is behind the Clip");
  t.match(outputs, [{ name: "y" }, { name: "rest", same: true }]);
  t.ok((outputs[0]?.sqnrDb ?? 0) > 30);
});

t.test("what is cast to a type that is not float32 stays", async (t) => {
  const plain = {
    opset: 15,
    inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
    outputs: [{ name: "y" }],
    nodes: [
      node("Cast", ["x"], "half", [{ name: "to", type: 2, i: 10 }]),
      node("CastLike", ["b", "half"], "bias"),
      node("CastLike", ["w", "half"], "weight"),
      node("Conv", ["half", "weight", "bias"], "c"),
      node("Cast", ["c"], "y", [{ name: "to", type: 2, i: 1 }]),
    ],
    tensors: [floats("b", [6]), floats("w", [6, 3, 3, 3])],
  };
  const graph = new FileGraph(readModel(encodePlain(plain), "it"));
  await settleConstants(graph, "it");
  t.equal(graph.initializer("bias"), null);
  const arrays = new Map([["x", sampleArray("x", [8, 3, 8, 8])]]);
  const { layers, outputs } = await quantized(encodePlain(plain), arrays);
  t.equal(layers.length, 1, "a weight that is cast so is found");
  t.ok((outputs[0]?.sqnrDb ?? 0) > 30);
});
