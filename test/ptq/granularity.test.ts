import t from "tap";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { encodePlain, type PlainModel, type PlainTensor } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

/** Weights that are larger from one input, and from one output, to the next. */
const uneven = (name: string, dims: readonly [number, number]): PlainTensor => {
  const { rawData = new Uint8Array() } = floats(name, dims);
  const values = new Float32Array(rawData.buffer.slice(0));
  return {
    ...{ name, dims, dataType: 1 },
    rawData: new Uint8Array(
      values.map((value, index) => value * 1.03 ** (Math.floor(index / dims[1]) + (index % dims[1]))).buffer,
    ),
  };
};

const model: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 64] }],
  outputs: [{ name: "y" }],
  nodes: [
    { opType: "MatMul", name: "product", input: ["x", "w1"], output: ["m"] },
    {
      ...{ opType: "Gemm", name: "turned", input: ["m", "w2"], output: ["g"] },
      attribute: [{ name: "transB", type: 2, i: 1 }],
    },
    { opType: "Gemm", name: "odd", input: ["g", "w3"], output: ["y"] },
  ],
  tensors: [uneven("w1", [64, 64]), uneven("w2", [36, 64]), uneven("w3", [36, 8])],
};
const arrays = new Map([["x", sampleArray("x", [16, 64])]]);
const bytes = encodePlain(model);

/** One layer, whose weights differ most from input to input. */
const product: PlainModel = {
  ...model,
  outputs: [{ name: "m" }],
  nodes: model.nodes.slice(0, 1),
};

for (const bits of [4, 8] as const) {
  t.test(`finer steps are nearer to the file, at ${bits} bits`, async (t) => {
    const at = async (granularity: "tensor" | "channel" | 32) =>
      (await quantized(encodePlain(product), arrays, { weights: bits, granularity })).outputs[0]!.sqnrDb!;
    const [tensor, channel, block] = [await at("tensor"), await at("channel"), await at(32)];
    t.ok(tensor + 1 < channel && channel + 1 < block, `${tensor}, ${channel}, ${block} dB`);
  });
}

t.test("inputs that are no multiple of a block have a step for each channel", async (t) => {
  const { layers, interfaces } = await quantized(bytes, arrays, { weights: 4, granularity: 32 });
  t.strictSame(interfaces[1], interfaces[0], "names, types and sizes stay");
  t.strictSame(
    layers.map(({ name, granularity }) => [name, granularity]),
    [
      ["product", 32],
      ["turned", 32],
      ["odd", "channel"],
    ],
  );
});

t.test("a tensor's one step is stored once", async (t) => {
  const { bytes: written } = await quantized(bytes, arrays, { weights: 8, granularity: "tensor" });
  const steps = readModel(written, "it").graph.initializer.filter(({ name }) => name.includes("step"));
  t.strictSame(
    steps.map(({ rawData }) => rawData.length),
    [4, 4, 4],
  );
});

t.test("layers with blocks compute in float", async (t) => {
  const { layers } = await quantized(bytes, arrays, { weights: 8, activations: 8, granularity: 32 });
  t.strictSame(
    layers.map(({ integer }) => integer),
    [false, false, true],
  );
});

t.test("a weight that is looked up and multiplied has steps of both kinds, each in its own place", async (t) => {
  const shared: PlainModel = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 64] }],
    outputs: [{ name: "y" }, { name: "z" }],
    nodes: [
      { opType: "Gather", name: "look", input: ["table", "rows"], output: ["z"] },
      {
        ...{ opType: "Gemm", name: "head", input: ["x", "table"], output: ["y"] },
        attribute: [{ name: "transB", type: 2, i: 1 }],
      },
    ],
    tensors: [uneven("table", [48, 64]), integers("rows", [3, 5])],
  };
  const { bits, outputs, layers } = await quantized(encodePlain(shared), arrays, { weights: 4, granularity: 32 });
  t.strictSame(
    layers.map(({ name, granularity }) => [name, granularity]),
    [
      ["look", "channel"],
      ["head", 32],
    ],
  );
  const tensors = bits.tensors.filter(({ role }) => role === "weight");
  t.match(tensors, [
    { layers: ["look"], granularity: "channel" },
    { layers: ["head"], granularity: 32 },
  ]);
  for (const { sqnrDb } of outputs) t.ok(sqnrDb! > 15, `${sqnrDb} dB`);
  for (const limit of [7000, 7300, 7600]) {
    const within = { granularity: 32, budget: { limit: { bytes: limit }, table: null } } as const;
    const { bytes: written } = await quantized(encodePlain(shared), arrays, within);
    t.ok(written.length <= limit, `${written.length} of ${limit}`);
  }
});
