import fc from "fast-check";
import t from "tap";
import { uniforms } from "../../../src/core/random.ts";
import { type FrozenNetwork, isFrozenLayer } from "../../../src/export/frozen-network.ts";
import { kernelsOf } from "../../../src/export/kernels.ts";
import { integerLayer } from "../../../src/export/onnx/integer-weight.ts";
import { lowerInt8 } from "../../../src/export/onnx/lower-int8.ts";
import { readModel } from "../../../src/export/onnx/read-model.ts";
import { anyEngine } from "../../fixtures/engines.ts";
import { initializer } from "../../fixtures/onnx-values.ts";
import { disposeModel, freezeModel, narrowNetworks, randomModel } from "../../fixtures/random-models.ts";

const { ops } = await anyEngine();

const numberOf = (values: number | ArrayLike<number>, index: number) =>
  typeof values === "number" ? values : values[index]!;

/** The file as onnxruntime runs it, by its default optimizations. */
async function optimized(network: FrozenNetwork) {
  const { bytes, notes } = lowerInt8(network, { input: "uint8", metadata: {} });
  return { ...(await kernelsOf(bytes)), notes };
}

for (const [name, make] of Object.entries(narrowNetworks)) {
  t.test(`${name}: every layer of 8 bits or less runs in an integer kernel`, async (t) => {
    for (const bits of [[8], [2, 4, 8]] as const) {
      const network = freezeModel(randomModel(ops, { network: make(), seed: 5, bits, pruned: 0.3 }));
      const layers = network.nodes.filter(isFrozenLayer);
      const { integer, float, operators, notes } = await optimized(network);
      // Products of quantized activations run in integers as well.
      const products = network.nodes.filter(({ kind }) => kind === "matmul").length;
      // Where channels are normalised apart, the first layer reads float32 images.
      const inFloat = layers.filter(({ kind }, at) => (at === 0 && name !== "lenet5") || kind === "conv-transpose");
      t.equal(integer, layers.length - inFloat.length + products, `bits ${bits}: integer kernels`);
      const named = inFloat.map(({ id }) => id);
      t.strictSame(float, named, `bits ${bits}: float kernels`);
      const notesOf = inFloat.map(({ id, kind }) => {
        const reason = kind === "conv-transpose" ? "ONNX has no integer operator for it" : "it reads float32 values";
        return `${id} computes in float32: ${reason}; its weight is stored in int8`;
      });
      t.strictSame(notes, notesOf, "the file says so");
      if (name !== "lenet5" && name !== "vgg7") continue;
      // Nothing but the image and the logits is float32.
      t.notOk(operators.includes("Relu"));
      t.ok(operators.filter((opType) => opType === "DequantizeLinear").length <= 2, "codes stay codes");
    }
  });
}

t.test("16 bits compute in float32, and the file's notes say which", async (t) => {
  const network = freezeModel(randomModel(ops, { network: narrowNetworks.lenet5!(), seed: 2, bits: [16], pruned: 0 }));
  const { integer, notes } = await optimized(network);
  t.equal(integer, 0);
  t.ok(
    notes.includes("conv1 computes in float32: its weight has 16 bits; its weight is stored in int16"),
    notes.join(),
  );
  t.ok(notes.includes("conv1.quantizer has 16 bits: widened to float32"));
});

t.test("a weight keeps its values in the finer grid, and its bias moves by half a step at most", async (t) => {
  const layers = fc.record({
    bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
    outputs: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(1000),
    inputScale: fc.double({ min: 1e-3, max: 1, noNaN: true }),
    shared: fc.boolean(),
  });
  const law = ({
    bits,
    outputs,
    seed,
    inputScale,
    shared,
  }: typeof layers extends fc.Arbitrary<infer T> ? T : never) => {
    const highest = 2 ** (bits - 1) - 1;
    const drawn = uniforms({ seed, stream: "codes", counter: 0 }, 7 * outputs);
    const codes = Int32Array.from(drawn, (u) => Math.round((2 * u - 1) * highest));
    const bias = Float32Array.from(uniforms({ seed, stream: "bias", counter: 0 }, outputs), (u) => 2 * u - 1);
    const weight = { bits, channelBits: null, scale: 0.37 / highest, shape: [7, outputs], codes };
    const input = { scale: inputScale, highest: 255 };
    const integer = integerLayer({
      weight,
      bias,
      input,
      container: "uint8",
      pairs: true,
      saturation: "avoid",
      shared,
    })!;
    const scales = Float32Array.from(bias, (_, output) => numberOf(integer.scales, output));
    const multiplied = codes.map((code, index) => code * numberOf(integer.multiples, index % outputs));
    for (const [index, code] of multiplied.entries()) {
      if (Math.abs(code) > 127) throw new Error(`${code} does not fit 8 bits`);
      const value = code * scales[index % outputs]!;
      if (Math.abs(value - codes[index]! * weight.scale) > 1e-6 * weight.scale * highest)
        throw new Error("another value");
    }
    for (const [output, value] of integer.biasValues.entries()) {
      const step = inputScale * scales[output]!;
      if (Math.abs(value - bias[output]!) > 0.501 * step + 1e-6)
        throw new Error("the bias moved further than half a step");
    }
    const worst = Math.max(...integer.biasValues.map((value, output) => Math.abs(value - bias[output]!)));
    if (shared) return;
    // 2-bit codes have 127 grids to choose from: the best is far finer than the coarsest.
    if (bits === 2 && worst > 0.51 * inputScale * (weight.scale / 64)) throw new Error(`bias moved by ${worst}`);
  };
  t.doesNotThrow(() => fc.assert(fc.property(layers, law), { seed: 4 }));
});

t.test("every weight is stored in its bits, whatever its kernel, and is what was learned", async (t) => {
  for (const [name, make] of Object.entries(narrowNetworks)) {
    for (const [bits, bytes] of [
      [[2, 4, 8], 1],
      [[16], 2],
      [[32], 4],
    ] as const) {
      for (const weightRanges of ["per-tensor", "per-channel"] as const) {
        const model = randomModel(ops, { network: make(), seed: 3, bits, pruned: 0.2, weightRanges });
        const network = freezeModel(model);
        disposeModel(model);
        const { bytes: written } = lowerInt8(network, { input: "float", metadata: {} });
        const read = readModel(written, "int8");
        for (const { id, weight } of network.nodes.filter(isFrozenLayer)) {
          const stored = initializer(read, bytes === 4 ? `${id}.weight` : `${id}.weight.codes`);
          const elements = weight.shape.reduce((product, size) => product * size, 1);
          t.equal(stored.bytes.length, bytes * elements, `${name}, ${bits} bits, ${weightRanges}: ${id}`);
        }
      }
    }
  }
});
