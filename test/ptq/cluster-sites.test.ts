import t from "tap";
import { elementTypes } from "../../src/onnx/element-types.ts";
import { FileSession } from "../../src/onnx/file-session.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import type { Codebooks } from "../../src/ptq/cluster-sites.ts";
import { random } from "../fixtures/engines.ts";
import { encodePlain, int, node, type PlainModel, type PlainTensor } from "../fixtures/onnx/plain-model.ts";
import { floats, quantized, sampleArray } from "../fixtures/ptq.ts";

const settings: Codebooks = {
  blockSize: { conv: 9, pointwise: 4, dense: 4 },
  centroids: { conv: 16, pointwise: 16, dense: 16 },
  ...{ activations: "blocks", biasCorrection: true, iterations: 20, projection: false, firstLayer: true },
  calibration: { images: 8, positions: 4 },
};

/** A weight of [rows, columns] whose runs of `run` along one axis are among a few, of numbers that float16 has. */
function repeating(
  name: string,
  dims: readonly number[],
  { axis, run, distinct = 3 }: { axis: 0 | 1; run: number; distinct?: number },
): PlainTensor {
  const blocks = random(7, name, [distinct, run]).map((value) => Math.round(64 * value) / 64);
  const [outer = 1, ...rest] = dims;
  const inner = rest.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: outer * inner }, (_, index) => {
    const [row, column] = [Math.floor(index / inner), index % inner];
    const [output, input] = axis === 0 ? [row, column] : [column, row];
    return blocks[((5 * output + 3 * Math.floor(input / run)) % distinct) * run + (input % run)]!;
  });
  return { name, dims, dataType: 1, rawData: new Uint8Array(values.buffer) };
}

const rows = { inputs: [{ name: "x", shape: ["n", 16] }], outputs: [{ name: "y" }] };
const rowArrays = new Map([["x", sampleArray("x", [12, 16])]]);
const images = { inputs: [{ name: "x", shape: ["n", 4, 6, 6] }], outputs: [{ name: "y" }] };
const imageArrays = new Map([["x", sampleArray("x", [12, 4, 6, 6])]]);

const cases: Readonly<Record<string, { readonly model: PlainModel; readonly arrays: typeof rowArrays }>> = {
  "a convolution, without a bias": {
    model: {
      ...images,
      opset: 9,
      nodes: [node("Conv", ["x", "w"], "y")],
      tensors: [repeating("w", [16, 4, 3, 3], { axis: 0, run: 9 })],
    },
    arrays: imageArrays,
  },
  "Gemm, outputs first": {
    model: {
      ...{ ...rows, opset: 13, nodes: [node("Gemm", ["x", "w", "b"], "y", [int("transB", 1)])] },
      tensors: [repeating("w", [32, 16], { axis: 0, run: 4 }), floats("b", [32])],
    },
    arrays: rowArrays,
  },
  "MatMul, inputs first": {
    model: {
      ...rows,
      opset: 13,
      nodes: [node("MatMul", ["x", "w"], "y")],
      tensors: [repeating("w", [16, 32], { axis: 1, run: 4 })],
    },
    arrays: rowArrays,
  },
};

for (const [name, { model, arrays }] of Object.entries(cases)) {
  t.test(`${name}: blocks that a codebook has are written as they are`, async (t) => {
    const { layers, bits, outputs } = await quantized(encodePlain(model), arrays, { codebooks: { settings, seed: 1 } });
    t.match(layers, [{ method: "product-quantization", codebook: { centroids: 3 } }]);
    t.match(bits.codebooks, [{ codebook: { centroids: 3, codeBits: 2 } }]);
    t.ok(outputs[0]!.same || outputs[0]!.sqnrDb! > 100, `${outputs[0]!.sqnrDb} dB`);
  });
}

for (const [distinct, codeBits, outputs] of [
  [4, 2, 21],
  [16, 4, 131],
  [64, 8, 523],
  [257, 16, 2063],
] as const) {
  t.test(`${distinct} blocks are codes of ${codeBits} bits, and lie in as many bytes as are counted`, async (t) => {
    const weight = repeating("w", [16, outputs], { axis: 1, run: 16, distinct });
    const model = { ...rows, opset: 9, nodes: [node("MatMul", ["x", "w"], "y")], tensors: [weight] };
    const sizes = { blockSize: { ...settings.blockSize, dense: 16 }, centroids: { ...settings.centroids, dense: 512 } };
    const codebooks = { settings: { ...settings, ...sizes, biasCorrection: false, projection: false }, seed: 1 };
    const { layers, bits, outputs: compared, bytes } = await quantized(encodePlain(model), rowArrays, { codebooks });
    t.match(bits.codebooks, [{ codebook: { codeBits } }]);
    const stored = readModel(bytes, "it.onnx").graph.initializer.filter(({ dataType }) =>
      new Set<number>([elementTypes.uint8, elementTypes.uint16, elementTypes.float16]).has(dataType),
    );
    t.equal(
      stored.reduce((sum, { rawData }) => sum + rawData.length, 0),
      layers[0]!.bytes,
    );
    t.ok(compared[0]!.same || compared[0]!.sqnrDb! > 20, `${compared[0]!.sqnrDb} dB`);
  });
}

t.test("mean outputs are set right where a layer has a bias, or can have one", async (t) => {
  const model = { ...rows, opset: 13, nodes: [node("Gemm", ["x", "w"], "y")], tensors: [floats("w", [16, 64])] };
  // All above zero: without it, what is lost is a constant for the most part.
  const { data } = sampleArray("x", [12, 16]);
  const above = new Map([
    ["x", { shape: [12, 16], data: Float32Array.from(data as Float32Array, (value) => 3 + value) }],
  ]);
  const meanError = async (biasCorrection: boolean) => {
    const { bytes } = await quantized(encodePlain(model), above, {
      codebooks: { settings: { ...settings, biasCorrection }, seed: 1 },
    });
    const outputsOf = async (file: Uint8Array) => {
      await using session = await FileSession.load(file, "it.onnx");
      const x = FileSession.tensor(above.get("x")!.data, [12, 16]);
      return Float32Array.from((await session.run({ x })).get("y")!.data as Float32Array);
    };
    const [float, written] = [await outputsOf(encodePlain(model)), await outputsOf(bytes)];
    return written.reduce((sum, value, index) => sum + Math.abs(value - float[index]!), 0);
  };
  const [corrected, left] = [await meanError(true), await meanError(false)];
  t.ok(corrected < left, `${corrected}, without ${left}`);
});

t.test("what gets no codebook stays, and says why; a file without any is refused", async (t) => {
  const model = {
    ...images,
    ...{ opset: 13, nodes: [node("Conv", ["x", "w"], "c"), node("Conv", ["c", "d"], "y", [int("group", 16)])] },
    tensors: [floats("w", [16, 4, 3, 3]), floats("d", [16, 1, 3, 3])],
  };
  const { layers, left } = await quantized(encodePlain(model), imageArrays, { codebooks: { settings, seed: 1 } });
  t.strictSame(
    layers.map(({ name }) => name),
    ["c"],
  );
  t.match(left, [{ name: "y", reason: /groups of channels/ }]);
  const alone = {
    ...model,
    nodes: [node("Conv", ["x", "d"], "y", [int("group", 4)])],
    tensors: [floats("d", [16, 1, 3, 3])],
  };
  await t.rejects(quantized(encodePlain(alone), imageArrays, { codebooks: { settings, seed: 1 } }), {
    name: "UserError",
    message: /has no layer that could get a codebook: Conv "y" has groups/,
  });
});
