import t from "tap";
import { inGroups } from "../../src/ptq/layer-noise.ts";
import type { SampleArray } from "../../src/ptq/samples.ts";
import { encodePlain, layer, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const positive = (name: string, dims: readonly number[]) => {
  const { rawData, ...tensor } = floats(name, dims);
  const values = new Float32Array(rawData!.slice().buffer).map((value) => 0.5 + Math.abs(value));
  return { ...tensor, rawData: new Uint8Array(values.buffer) };
};

/** Its layers' values behind normalization and ReLU are outputs of the file too. */
const network: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 3, 8, 8] }],
  outputs: [{ name: "r1" }, { name: "c2" }, { name: "r3" }, { name: "y" }],
  nodes: [
    layer("Conv", ["x", "w1", "b1"], "c1"),
    layer("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], "n1"),
    layer("Relu", ["n1"], "r1"),
    layer("Conv", ["r1", "w2"], "c2"),
    layer("Relu", ["c2"], "r2"),
    layer("Conv", ["r2", "w3"], "c3"),
    layer("Relu", ["c3"], "r3"),
    layer("Flatten", ["r3"], "f"),
    layer("Gemm", ["f", "w4", "b4"], "y"),
  ],
  tensors: [
    ...[floats("w1", [8, 3, 3, 3]), floats("b1", [8]), floats("w2", [8, 8, 3, 3]), floats("w3", [4, 8, 3, 3])],
    ...[positive("scale", [8]), floats("shift", [8]), floats("mean", [8]), positive("variance", [8])],
    ...[floats("w4", [16, 10]), floats("b4", [10])],
  ],
};
const images = new Map([["x", sampleArray("x", [12, 3, 8, 8])]]);

for (const options of [{ weights: 4 }, { weights: 8, activations: 8 }] as const) {
  t.test(`what layers hand on is compared as outputs of the file are: ${JSON.stringify(options)}`, async (t) => {
    const { layers, outputs, noises, calibration } = await quantized(encodePlain(network), images, options);
    const found = await noises(calibration);
    t.strictSame(
      layers.map(({ name }) => name),
      ["layer c1", "layer c2", "layer c3", "layer y"],
    );
    for (const [index, value] of ["r1", "c2", "r3", "y"].entries()) {
      const expected = outputs.find(({ name }) => name === value)!.sqnrDb!;
      const { sqnrDb, same } = found[index]!;
      t.ok(Math.abs(sqnrDb! - expected) < 0.02, `${value}: ${sqnrDb} dB, expected ${expected}`);
      t.equal(same, false);
    }
  });
}

t.test("samples that fill a run up do not count", async (t) => {
  const few = new Map([["x", sampleArray("x", [20, 3, 8, 8])]]);
  const { outputs, noises, calibration } = await quantized(encodePlain(network), few, { weights: 4 });
  const { samples, order } = calibration;
  const [, , , three] = await noises({ samples, order: order.subarray(0, 3) });
  const [, , , repeated] = await noises({ samples, order: Uint32Array.from([...order.subarray(0, 3), order[2]!]) });
  t.not(three!.sqnrDb, repeated!.sqnrDb);
  t.ok(Math.abs(three!.sqnrDb! - outputs[3]!.sqnrDb!) < 6);
});

t.test("a layer that gives the same is exact", async (t) => {
  const zeros: SampleArray = { shape: [4, 3, 8, 8], data: new Float32Array(4 * 3 * 8 * 8) };
  const model = {
    ...network,
    outputs: [{ name: "y" }],
    nodes: [layer("Conv", ["x", "w1"], "y")],
    tensors: [floats("w1", [8, 3, 3, 3])],
  };
  const { noises, calibration } = await quantized(encodePlain(model), new Map([["x", zeros]]), { weights: 4 });
  t.strictSame(await noises(calibration), [{ sqnrDb: null, same: true }]);
});

t.test("a layer whose sizes depend on the numbers has no noise where they differ", async (t) => {
  const model: PlainModel = {
    opset: 13,
    inputs: [{ name: "x", shape: ["n", 16] }],
    outputs: [{ name: "y" }],
    nodes: [
      layer("MatMul", ["x", "w1"], "h"),
      layer("Greater", ["h", "limit"], "large"),
      layer("NonZero", ["large"], "places"),
      layer("Cast", ["places"], "numbers", [{ name: "to", type: 2, i: 1 }]),
      layer("Transpose", ["numbers"], "rows"),
      layer("MatMul", ["rows", "w2"], "y"),
    ],
    tensors: [floats("w1", [16, 64]), floats("limit", [1]), floats("w2", [2, 32])],
  };
  const rows = new Map([["x", sampleArray("x", [16, 16])]]);
  const { noises, calibration } = await quantized(encodePlain(model), rows, { weights: 2 });
  const [first, second] = await noises(calibration);
  t.ok(first!.sqnrDb! > 0 && first!.sqnrDb! < 20, `${first!.sqnrDb} dB`);
  t.strictSame(second, { sqnrDb: null, same: false });
});

t.test("outputs are held in groups that stay within their bytes", async (t) => {
  const sizes = [40, 60, 1, 200, 99, 1].map((bytes, index) => ({ value: `v${index}`, bytes }));
  t.strictSame(inGroups(sizes, 100), [["v0", "v1"], ["v2"], ["v3"], ["v4", "v5"]]);
  t.strictSame(inGroups([], 100), []);
});
