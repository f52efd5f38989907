import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { quantizedBitsSchema } from "../../src/ptq/quantized-bits.ts";
import { encodePlain, layer, type PlainModel } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const network: PlainModel = {
  opset: 13,
  inputs: [{ name: "x", shape: ["n", 64] }],
  outputs: [{ name: "y" }],
  nodes: [
    layer("MatMul", ["x", "w1"], "a"),
    layer("Relu", ["a"], "b"),
    layer("MatMul", ["b", "w1"], "c"),
    layer("MatMul", ["c", "w2"], "y"),
  ],
  tensors: [floats("w1", [64, 64]), floats("w2", [64, 8])],
};
const rows = new Map([["x", sampleArray("x", [20, 64])]]);

t.test("a grid for each output, under the names of the file; what two layers read stands once", async (t) => {
  const { bits, layers } = await quantized(encodePlain(network), rows, { weights: 3 });
  t.strictSame(quantizedBitsSchema.parse(JSON.parse(JSON.stringify(bits))), bits);
  t.match(bits, { format: "bayesian-bits-quantized-tensors", version: 1, network: "it.onnx" });
  const [first, second, ...others] = bits.tensors;
  t.strictSame(others, [], "activations in float have no grid");
  t.match(first, {
    ...{ name: "w1", role: "weight", layers: ["layer a", "layer c"], shape: [64, 64], axis: 1 },
    ...{ bits: 3, storedBits: 4, signed: true, granularity: "channel", zeroPoint: 0, codes: [-3, 3] },
  });
  t.match(second, { name: "w2", layers: ["layer y"], shape: [64, 8] });
  t.strictSame(
    layers.map(({ bytes }) => bytes),
    [2048, 2048, 256],
  );
});

/** The scale of a weight of [inputs, outputs], by input and output. */
const values = new Float32Array(floats("w1", [64, 64]).rawData!.slice().buffer);

for (const granularity of ["tensor", "channel", 32] as const) {
  t.test(`scales stand where they belong: ${granularity}`, async (t) => {
    const { bits } = await quantized(encodePlain(network), rows, { weights: 8, granularity });
    const [weight] = bits.tensors;
    if (weight?.role !== "weight") throw new Error("the first tensor is a weight");
    t.equal(weight.granularity, granularity);
    const { scale } = weight;
    const scaleAt = (input: number, output: number) => {
      if (typeof scale === "number") return scale;
      return typeof granularity === "number" ? scale[2 * output + Math.floor(input / 32)]! : scale[output]!;
    };
    if (typeof scale !== "number") t.equal(scale.length, granularity === 32 ? 128 : 64);
    // Of 8 bits hardly anything is clipped: a step of another place would not reach the largest number of its own.
    const reached = (input: number, output: number) => Math.abs(values[64 * input + output]!) / scaleAt(input, output);
    const groups = new Map<number, number>();
    for (let input = 0; input < 64; input++) {
      for (let output = 0; output < 64; output++) {
        const step = scaleAt(input, output);
        groups.set(step, Math.max(groups.get(step) ?? 0, reached(input, output)));
      }
    }
    for (const [step, most] of groups) t.ok(most > 110 && most < 140, `${step}: ${most} steps`);
  });
}

t.test("activations have the grids of the record", async (t) => {
  const { bits, grids } = await quantized(encodePlain(network), rows, { activations: 8 });
  const found = bits.tensors.filter(({ role }) => role === "activation");
  t.strictSame(
    found.map(({ name, scale, zeroPoint }) => [name, Math.fround(Number(scale)), zeroPoint]),
    Array.from(grids, ([name, { step, zero }]) => [name, step, zero]),
  );
  t.ok(found.length >= 2);
  t.match(found[0], { bits: 8, storedBits: 8, signed: false, codes: [0, 255] });
});

t.test("the JSON schema in configs is that of the code", async (t) => {
  const expected = JSON.stringify(z.toJSONSchema(quantizedBitsSchema), null, 2);
  t.equal(readFileSync("configs/quantized-bits.schema.json", "utf8").trim(), expected, "npm run schema makes it");
});
