import t from "tap";
import { floatToHalf } from "../../src/core/half-precision.ts";
import { kernelsOf } from "../../src/export/kernels.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import type { SampleArray } from "../../src/ptq/samples.ts";
import { encodePlain, int, ints, node, type PlainModel, type PlainTensor } from "../fixtures/onnx/plain-model.ts";
import { floats, integers, quantized, sampleArray } from "../fixtures/ptq.ts";

interface Case {
  readonly model: PlainModel;
  readonly arrays: ReadonlyMap<string, SampleArray>;
  /** Layers that are quantized. */
  readonly layers: readonly string[];
  /** Of these, how many compute in integers once activations have 8 bits. */
  readonly integer: number;
}

/** A tensor of half-precision numbers. */
const halves = (name: string, dims: readonly number[]): PlainTensor => {
  const values = new Float32Array(floats(name, dims).rawData!.slice().buffer);
  return { name, dims, dataType: 10, rawData: new Uint8Array(Uint16Array.from(values, floatToHalf).buffer) };
};

const images = { inputs: [{ name: "x", shape: ["n", 3, 8, 8] }], outputs: [{ name: "y" }] };
const imageArrays = new Map([["x", sampleArray("x", [20, 3, 8, 8])]]);
const rows = { inputs: [{ name: "x", shape: ["n", 16] }], outputs: [{ name: "y" }] };
const rowArrays = new Map([["x", sampleArray("x", [20, 16])]]);

const cases: Readonly<Record<string, Case>> = {
  "convolutions with groups, dilation, uneven strides and padding": {
    model: {
      ...images,
      opset: 11,
      nodes: [
        node("Conv", ["x", "w1", "b1"], "c1", [ints("strides", [2, 1]), ints("pads", [1, 0, 0, 2])]),
        node("Relu", ["c1"], "r1"),
        node("Conv", ["r1", "w2"], "c2", [int("group", 2), ints("dilations", [2, 2])]),
        node("Sigmoid", ["c2"], "s"),
        node("Mul", ["s", "c2"], "y"),
      ],
      tensors: [floats("w1", [8, 3, 3, 3]), floats("b1", [8]), floats("w2", [6, 4, 2, 2])],
    },
    arrays: imageArrays,
    layers: ["c1", "c2"],
    integer: 2,
  },
  "batch normalization behind a convolution": {
    model: {
      ...images,
      opset: 9,
      nodes: [
        node("Conv", ["x", "w"], "c"),
        node("BatchNormalization", ["c", "scale", "shift", "mean", "var"], "n"),
        node("Relu", ["n"], "y"),
      ],
      tensors: [
        ...[floats("w", [8, 3, 3, 3]), floats("scale", [8]), floats("shift", [8]), floats("mean", [8])],
        {
          name: "var",
          dims: [8],
          dataType: 1,
          rawData: new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i + 1).buffer),
        },
      ],
    },
    arrays: imageArrays,
    layers: ["c"],
    integer: 1,
  },
  "a transposed convolution": {
    model: {
      ...images,
      opset: 11,
      nodes: [node("ConvTranspose", ["x", "w"], "y", [ints("strides", [2, 2])])],
      tensors: [floats("w", [3, 4, 2, 2])],
    },
    arrays: imageArrays,
    layers: ["y"],
    integer: 0,
  },
  "a convolution over sequences": {
    model: {
      opset: 7,
      inputs: [{ name: "x", shape: ["n", 4, "length"] }],
      outputs: [{ name: "y" }],
      nodes: [node("Conv", ["x", "w"], "y", [ints("pads", [1, 1])])],
      tensors: [floats("w", [4, 4, 3])],
    },
    arrays: new Map([["x", sampleArray("x", [12, 4, 10])]]),
    layers: ["y"],
    integer: 1,
  },
  "dense layers in both orders, and a product of rank 3": {
    model: {
      opset: 13,
      inputs: [{ name: "x", shape: ["n", 5, 16] }],
      outputs: [{ name: "y" }],
      nodes: [
        node("MatMul", ["x", "w1"], "m1"),
        node("Reshape", ["m1", "shape"], "flat"),
        node("Gemm", ["flat", "w2", "b2"], "g1", [int("transB", 1)]),
        node("Gemm", ["g1", "w3", "b3"], "y"),
      ],
      tensors: [
        floats("w1", [16, 8]),
        integers("shape", [-1, 40]),
        floats("w2", [12, 40]),
        floats("b2", [12]),
        floats("w3", [12, 4]),
        floats("b3", [4]),
      ],
    },
    arrays: new Map([["x", sampleArray("x", [20, 5, 16])]]),
    layers: ["m1", "g1", "y"],
    integer: 3,
  },
  "half-precision weights, one of them behind a Transpose": {
    model: {
      ...{ opset: 13, inputs: [{ name: "x", shape: ["n", 16] }], outputs: [{ name: "y" }] },
      nodes: [
        node("Cast", ["x"], "half", [int("to", 10)]),
        node("MatMul", ["half", "w1"], "m1"),
        node("Transpose", ["w2"], "turned", [ints("perm", [1, 0])]),
        node("MatMul", ["m1", "turned"], "m2"),
        node("Cast", ["m2"], "y", [int("to", 1)]),
      ],
      tensors: [halves("w1", [16, 8]), halves("w2", [12, 8])],
    },
    arrays: new Map([["x", sampleArray("x", [20, 16])]]),
    layers: ["m1", "m2"],
    integer: 0,
  },
  "an embedding, several inputs and outputs": {
    model: {
      opset: 12,
      inputs: [
        { name: "x", shape: ["n", 16] },
        { name: "other", shape: ["n", 6] },
      ],
      outputs: [{ name: "y" }, { name: "z" }],
      nodes: [
        node("Cast", ["x"], "indices", [int("to", 7)]),
        node("Gather", ["table", "indices"], "y"),
        node("MatMul", ["other", "w"], "z"),
      ],
      tensors: [floats("table", [20, 8]), floats("w", [6, 6])],
    },
    arrays: new Map([
      ["x", { shape: [10, 16], data: Float32Array.from({ length: 160 }, (_, i) => i % 20) }],
      ["other", sampleArray("other", [10, 6])],
    ]),
    layers: ["y", "z"],
    integer: 1,
  },
  "a weight that two nodes share, and one behind Transpose and Identity": {
    model: {
      ...rows,
      opset: 13,
      nodes: [
        node("Transpose", ["w1"], "turned", [ints("perm", [1, 0])]),
        node("Identity", ["turned"], "same"),
        node("MatMul", ["x", "same"], "m1"),
        node("MatMul", ["m1", "w2"], "m2"),
        node("MatMul", ["m2", "w2"], "y"),
      ],
      tensors: [floats("w1", [8, 16]), floats("w2", [8, 8])],
    },
    arrays: rowArrays,
    layers: ["m1", "m2", "y"],
    integer: 3,
  },
};

for (const [what, { model, arrays, layers, integer }] of Object.entries(cases)) {
  const bytes = encodePlain(model);
  t.test(`${what}: weights`, async (t) => {
    const found = await quantized(bytes, arrays);
    t.strictSame(
      found.layers.map(({ name }) => name),
      layers,
    );
    t.strictSame(found.interfaces[1], found.interfaces[0], "names, types and sizes stay");
    for (const { name, sqnrDb } of found.outputs) t.ok(sqnrDb !== null && sqnrDb > 38, `${name}: ${sqnrDb} dB`);
    const weights = readModel(found.bytes, "it").graph.initializer;
    for (const tensor of model.tensors ?? []) {
      if ((tensor.dims ?? []).length > 1)
        t.notOk(
          weights.some(({ name }) => name === tensor.name),
          `${tensor.name} is gone`,
        );
    }
  });
  t.test(`${what}: weights and activations`, async (t) => {
    const found = await quantized(bytes, arrays, { activations: 8 });
    t.equal(found.layers.filter((layer) => layer.integer).length, integer);
    t.equal((await kernelsOf(found.bytes)).integer, integer, "onnxruntime chooses as many integer kernels");
    t.strictSame(found.interfaces[1], found.interfaces[0], "names, types and sizes stay");
    for (const { name, sqnrDb } of found.outputs) t.ok(sqnrDb !== null && sqnrDb > 27, `${name}: ${sqnrDb} dB`);
  });
  t.test(`${what}: fewer bits are worse, and still a network`, async (t) => {
    const [four, two] = await Promise.all(
      [4, 2].map((weights) => quantized(bytes, arrays, { weights: weights as 2 | 4 })),
    );
    for (const [index, { name, sqnrDb }] of four!.outputs.entries()) {
      t.ok(sqnrDb !== null && sqnrDb > 8 && sqnrDb < 35, `${name}: ${sqnrDb} dB`);
      t.ok(two!.outputs[index]!.sqnrDb! < sqnrDb!, "2 bits");
    }
  });
}

t.test("a network without weights is refused", async (t) => {
  const bytes = encodePlain({ ...rows, opset: 13, nodes: [node("Relu", ["x"], "y")] });
  await t.rejects(quantized(bytes, rowArrays), { name: "UserError", message: /has no layer to quantize/ });
});

t.test("layers that are skipped stay as they are, bit for bit", async (t) => {
  const { model, arrays } = cases["dense layers in both orders, and a product of rank 3"]!;
  const found = await quantized(encodePlain(model), arrays, { skips: (name) => name === "g1" });
  t.strictSame(
    found.layers.map(({ name }) => name),
    ["m1", "y"],
  );
  t.strictSame(found.left, [{ name: "g1", operator: "Gemm", reason: "it is to be skipped" }]);
  const kept = readModel(found.bytes, "it").graph.initializer.find(({ name }) => name === "w2");
  t.strictSame(kept?.rawData, model.tensors?.find(({ name }) => name === "w2")?.rawData);
});

t.test("weights in 64 bits stay, and are told", async (t) => {
  const wide = Float64Array.from({ length: 64 }, (_, index) => Math.sin(index));
  const plain: PlainModel = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 8] }],
    outputs: [{ name: "y" }],
    nodes: [
      node("MatMul", ["x", "w"], "m"),
      node("Cast", ["m"], "d", [int("to", 11)]),
      { opType: "MatMul", name: "wide", input: ["d", "w64"], output: ["y"] },
    ],
    tensors: [floats("w", [8, 8]), { name: "w64", dims: [8, 8], dataType: 11, rawData: new Uint8Array(wide.buffer) }],
  };
  const { layers, left } = await quantized(encodePlain(plain), new Map([["x", sampleArray("x", [8, 8])]]));
  t.equal(layers.length, 1);
  t.strictSame(left, [{ name: "wide", operator: "MatMul", reason: "its weight has numbers of 64 bits" }]);
});
