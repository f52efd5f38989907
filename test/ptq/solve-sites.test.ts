import t from "tap";
import { adaround, bitSplit } from "../../src/config/sections/methods/layerwise-settings.ts";
import type { LayerwiseSettings } from "../../src/methods/layerwise/create-layerwise.ts";
import type { EncodedModel } from "../../src/onnx/encode-model.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { compareOutputs } from "../../src/ptq/compare-outputs.ts";
import { type SampleArray, Samples } from "../../src/ptq/samples.ts";
import { anyEngine } from "../fixtures/engines.ts";
import { encodePlain, ints, node, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const { ops } = await anyEngine();

const methods: readonly LayerwiseSettings[] = [
  bitSplit.parse({ name: "bit-split" }),
  adaround.parse({ name: "adaround", iterations: 300, learningRate: 0.02 }),
];

const model: PlainModel = {
  opset: 13,
  inputs: [
    { name: "x", shape: ["n", 3, 8, 8] },
    { name: "words", shape: ["n", 5, 8] },
  ],
  outputs: [{ name: "y" }, { name: "z" }],
  nodes: [
    {
      ...{ opType: "Conv", name: "conv1", input: ["x", "w1", "b1"], output: ["c1"] },
      attribute: [{ name: "pads", type: 7, ints: [1, 1, 1, 1] }],
    },
    { opType: "Relu", input: ["c1"], output: ["r1"] },
    {
      opType: "Conv",
      name: "conv2",
      input: ["r1", "w2"],
      output: ["c2"],
      attribute: [{ name: "group", type: 2, i: 2 }],
    },
    { opType: "Tanh", input: ["c2"], output: ["y"] },
    { opType: "MatMul", name: "first", input: ["words", "w3"], output: ["m1"] },
    { opType: "MatMul", name: "second", input: ["m1", "w4"], output: ["z"] },
  ],
  tensors: [
    floats("w1", [8, 3, 3, 3]),
    floats("b1", [8]),
    floats("w2", [8, 4, 2, 2]),
    floats("w3", [8, 8]),
    floats("w4", [8, 8]),
  ],
};
/** Numbers with a mean: what rounding does to it adds up. */
const shifted = (name: string, shape: readonly number[]): SampleArray => {
  const { data } = sampleArray(name, shape);
  return { shape, data: Float32Array.from(data as Float32Array, (value) => value + 1) };
};
const arrays = new Map([
  ["x", shifted("x", [24, 3, 8, 8])],
  ["words", shifted("words", [24, 5, 8])],
]);

for (const method of methods) {
  for (const activations of [32, 8] as const) {
    t.test(`${method.name} is nearer to the file than rounding, activations in ${activations} bits`, async (t) => {
      const bytes = encodePlain(model);
      const rounded = await quantized(bytes, arrays, { weights: 2, activations });
      const solved = await quantized(bytes, arrays, { weights: 2, activations, solver: { method, ops, seed: 1 } });
      t.strictSame(solved.interfaces[1], solved.interfaces[0], "names, types and sizes stay");
      t.ok(solved.layers.every((layer) => layer.method === method.name));
      for (const [index, { name, sqnrDb }] of solved.outputs.entries()) {
        const nearest = rounded.outputs[index]!.sqnrDb!;
        t.ok(sqnrDb! > nearest + 0.5, `${name}: ${sqnrDb} dB, rounded ${nearest} dB`);
      }
    });
  }
}

t.test("few samples are looked at in many places: what was not seen is nearer too", async (t) => {
  const plain: PlainModel = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 6, 40, 40] }],
    outputs: [{ name: "y" }],
    nodes: [node("Conv", ["x", "w"], "y", [ints("pads", [1, 1, 1, 1])])],
    tensors: [floats("w", [6, 6, 5, 5])],
  };
  const bytes = encodePlain(plain);
  // Neighbours are alike, as in images.
  const smooth = (name: string): SampleArray => {
    const { shape, data } = sampleArray(name, [1, 6, 40, 40]);
    let level = 0;
    return { shape, data: Float32Array.from(data as Float32Array, (value) => (level += (value - level) / 8)) };
  };
  const [seen, unseen] = ["seen", "unseen"].map((name) => new Map([["x", smooth(name)]]));
  const method = bitSplit.parse({ name: "bit-split" });
  const { encoded } = await quantized(bytes, seen!, { weights: 2, solver: { method, ops, seed: 1 } });
  const rounded = await quantized(bytes, seen!, { weights: 2 });
  const dbOf = async (model: EncodedModel) => {
    const [float, written] = [await FileSession.load(bytes, "it"), await FileSession.load(model, "it")];
    const samples = Samples.of(float.inputs, unseen!, "others");
    return (await compareOutputs(float, written, samples.batches(samples.order(1)))).outputs[0]!.sqnrDb!;
  };
  const [found, nearest] = [await dbOf(encoded), await dbOf(rounded.encoded)];
  t.ok(found > nearest + 2, `${found} dB, rounded ${nearest} dB`);
});

t.test("layers that share a weight share its codes", async (t) => {
  const [method] = methods;
  const nodes = [
    { opType: "MatMul", name: "first", input: ["words", "w"], output: ["m"] },
    { opType: "MatMul", name: "second", input: ["m", "w"], output: ["z"] },
  ];
  const [, words] = model.inputs;
  const bytes = encodePlain({
    opset: 13,
    inputs: [words!],
    outputs: [{ name: "z" }],
    nodes,
    tensors: [floats("w", [8, 8])],
  });
  const found = await quantized(bytes, new Map([["words", arrays.get("words")!]]), {
    ...{ weights: 8, solver: { method: method!, ops, seed: 1 } },
  });
  t.equal(found.layers.length, 2);
  t.equal(readModel(found.bytes, "it").graph.initializer.filter(({ name }) => name.includes("codes")).length, 1);
  for (const { sqnrDb } of found.outputs) t.ok(sqnrDb! > 35, `${sqnrDb} dB`);
});

t.test("what is no product with a matrix is rounded to nearest", async (t) => {
  const bytes = encodePlain({
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 3, 6, 6] }],
    outputs: [{ name: "y" }],
    nodes: [
      { opType: "ConvTranspose", name: "up", input: ["x", "w1"], output: ["u"] },
      { opType: "Conv", name: "conv", input: ["u", "w2"], output: ["y"] },
    ],
    tensors: [floats("w1", [3, 4, 2, 2]), floats("w2", [4, 4, 2, 2])],
  });
  const [method] = methods;
  const { layers } = await quantized(bytes, new Map([["x", sampleArray("x", [8, 3, 6, 6])]]), {
    ...{ weights: 4, solver: { method: method!, ops, seed: 1 } },
  });
  t.strictSame(
    layers.map(({ name, method }) => [name, method]),
    [
      ["up", "nearest"],
      ["conv", "bit-split"],
    ],
  );
});
