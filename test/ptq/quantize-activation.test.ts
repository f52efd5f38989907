import t from "tap";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { encodePlain, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

t.test("a looked-up table whose rows a layer reads directly is on a grid behind its steps", async (t) => {
  const indices = { shape: [10, 4], data: BigInt64Array.from({ length: 40 }, (_, index) => BigInt(index % 20)) };
  const bytes = encodePlain({
    ...{ opset: 13, inputs: [{ name: "i", shape: ["n", 4], type: 7 }], outputs: [{ name: "y" }] },
    nodes: [
      { opType: "Gather", name: "g", input: ["table", "i"], output: ["g"] },
      { opType: "MatMul", name: "m", input: ["g", "w"], output: ["y"] },
    ],
    tensors: [floats("table", [20, 8]), floats("w", [8, 8])],
  });
  const { outputs, layers, grids } = await quantized(bytes, new Map([["i", indices]]), { activations: 8 });
  t.strictSame([...grids.keys()], ["g"]);
  t.strictSame(
    layers.map(({ integer }) => integer),
    [false, true],
  );
  for (const { sqnrDb } of outputs) t.ok(sqnrDb! > 27, `${sqnrDb} dB`);
});

const convolution = (opset: number, last: "Relu" | "Clip"): PlainModel => ({
  ...{ opset, inputs: [{ name: "x", shape: ["n", 3, 6, 6] }], outputs: [{ name: "y" }] },
  nodes: [
    { opType: "Conv", name: "c", input: ["x", "w", "b"], output: ["c"] },
    { opType: last, name: "r", input: ["c"], output: ["y"] },
  ],
  tensors: [floats("w", [4, 3, 3, 3]), floats("b", [4])],
});
const arrays = new Map([["x", sampleArray("x", [8, 3, 6, 6])]]);

t.test("activations of 16 bits raise an old operator set to the one that they need", async (t) => {
  const { bytes, outputs } = await quantized(encodePlain(convolution(10, "Relu")), arrays, { activations: 16 });
  t.equal(readModel(bytes, "it").opsetImport.find(({ domain }) => domain === "")?.version, 11n);
  for (const { sqnrDb } of outputs) t.ok(sqnrDb! > 30, `${sqnrDb} dB`);
});

t.test("where that would change what an operator reads, they stay in float", async (t) => {
  const { grids, notes } = await quantized(encodePlain(convolution(10, "Clip")), arrays, { activations: 16 });
  t.equal(grids.size, 0);
  t.match(notes, ["activations stay in float: it is of operator set 10, and has Clip"]);
  const eight = await quantized(encodePlain(convolution(10, "Clip")), arrays, { activations: 8 });
  t.equal(eight.grids.size, 2);
});

t.test("a Clip whose bounds are its grid's ends becomes a part of the convolution, wherever they lie", async (t) => {
  const bounds = [-0.9, 0, 1.1, 6];
  const kinds = bounds.flatMap((high) => bounds.flatMap((low) => (low < high && low <= 0 ? [{ low, high }] : [])));
  t.ok(kinds.length > 4);
  for (const { low, high } of [...kinds, { low: 0.5, high: 2 }, { low: -6, high: 6 }]) {
    const plain = convolution(13, "Clip");
    const bound = (name: string, value: number) => {
      return { name, dims: [], dataType: 1, rawData: new Uint8Array(Float32Array.of(value).buffer) };
    };
    const bytes = encodePlain({
      ...plain,
      nodes: plain.nodes.map((node) => (node.opType === "Clip" ? { ...node, input: ["c", "low", "high"] } : node)),
      tensors: [...(plain.tensors ?? []), bound("low", low), bound("high", high)],
    });
    const { bytes: written, outputs, layers } = await quantized(bytes, arrays, { activations: 8 });
    const place = `${low} to ${high}`;
    t.match(layers, [{ integer: true }], place);
    const clips = readModel(written, "it").graph.node.filter(({ opType }) => opType === "Clip");
    t.equal(clips.length, low > 0 ? 1 : 0, `${place}: a bound within the grid stays`);
    t.ok(outputs[0]!.sqnrDb! > 25, `${place}: ${outputs[0]!.sqnrDb} dB`);
  }
});
