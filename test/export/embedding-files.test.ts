import fc from "fast-check";
import t from "tap";
import { onnxForms } from "../../src/config/sections/export-settings.ts";
import type { FrozenNetwork, FrozenNode, FrozenTensor } from "../../src/export/frozen-network.ts";
import { lower } from "../../src/export/onnx/lower.ts";
import { outputName } from "../../src/export/onnx/model-frame.ts";
import { readModel } from "../../src/export/onnx/read-model.ts";
import { Reference } from "../../src/export/reference.ts";
import { RuntimeModel } from "../../src/export/runtime.ts";
import { lowerTflite } from "../../src/export/tflite/lower-tflite.ts";
import { codeBytes, storedCodeBits } from "../../src/quantization/code-bytes.ts";
import { anyEngine, freeing, near, random } from "../fixtures/engines.ts";
import { runInWebAssembly } from "../fixtures/web-runtime.ts";

const { ops } = await anyEngine();
const size = (most: number) => fc.integer({ min: 1, max: most });
const texts = fc.record({ seed: fc.nat(1000), vocabulary: size(9), length: size(5), batch: size(3), units: size(3) });

/** A table and the mean of its rows: what a text classifier begins with. */
function networkOf(table: FrozenNode & { readonly kind: "embedding" | "coded-embedding" }): FrozenNetwork {
  const [length = 0, units = 0] = table.outputShape;
  return {
    ...{ name: "texts", output: "mean", classes: [], normalization: null },
    nodes: [
      { kind: "input", dtype: "int32", id: "tokens", inputs: [], outputShape: [length] },
      table,
      { kind: "masked-mean", id: "mean", inputs: ["tokens", table.id], outputShape: [units] },
    ],
  };
}

const integersOf = (seed: number, stream: string, count: number, below: number): Int32Array =>
  Int32Array.from(random(seed, stream, [count]), (value) => Math.min(below - 1, Math.floor(((value + 1) / 2) * below)));

interface Drawn {
  readonly seed: number;
  readonly vocabulary: number;
  readonly length: number;
  readonly batch: number;
}

/** What a file and the trainer's kernels give for the same texts. */
async function sameAsTrainer(network: FrozenNetwork, { seed, vocabulary, length, batch }: Drawn, bytes: Uint8Array) {
  const tokens = integersOf(seed, "tokens", batch * length, vocabulary);
  const reference = new Reference(ops, network);
  const expected = freeing(ops, () =>
    Float32Array.from(ops.read(reference.logits(ops.tensor(tokens, [batch, length])))),
  );
  reference.release();
  const runtime = await RuntimeModel.load(bytes, "embedding");
  const found = (await runtime.run(tokens, [batch, length])).get(outputName)!;
  await runtime.release();
  near(found, expected, 1e-6);
  return { tokens, found };
}

const fp32 = { input: "uint8", metadata: {} } as const;

t.test("codes of any width are looked up as they were trained, in as many bytes as counted", async (t) => {
  const coded = fc.record({
    texts,
    groups: size(5),
    codewords: fc.constantFrom(2, 3, 4, 7, 16, 17, 256, 300),
    shared: fc.boolean(),
  });
  const property = fc.asyncProperty(coded, async ({ texts: drawn, groups, codewords, shared }) => {
    const { seed, vocabulary, length, units } = drawn;
    const valuesShape = [shared ? 1 : groups, codewords, units] as const;
    const network = networkOf({
      ...{ kind: "coded-embedding", id: "table", inputs: ["tokens"], outputShape: [length, groups * units], groups },
      codes: Uint16Array.from(integersOf(seed, "codes", vocabulary * groups, codewords)),
      values: random(seed, "values", valuesShape),
      valuesShape,
    });
    const { bytes } = lower(network, "compact", fp32);
    await sameAsTrainer(network, drawn, bytes);
    const { graph } = readModel(bytes, "embedding");
    const stored = graph.initializer.filter(({ name }) => name === "table.codes" || name === "table.values");
    const total = stored.reduce((sum, { rawData }) => sum + rawData.length, 0);
    const counted = codeBytes(vocabulary, groups, storedCodeBits(codewords)) + 4 * valuesShape[0] * codewords * units;
    if (total !== counted) throw new Error(`${total} bytes, counted ${counted}`);
  });
  await t.resolves(fc.assert(property, { seed: 1, numRuns: 25 }));
});

t.test("tables on a grid are, in every form of ONNX", async (t) => {
  const grids = fc.record({
    texts,
    bits: fc.constantFrom(2, 3, 4, 8, 16, 32),
    byUnit: fc.boolean(),
    form: fc.constantFrom(...onnxForms),
  });
  const property = fc.asyncProperty(grids, async ({ texts: drawn, bits, byUnit, form }) => {
    const { seed, vocabulary, length, units } = drawn;
    const shape = [vocabulary, units];
    const limit = 2 ** (bits - 1) - 1;
    const scale = byUnit ? random(seed, "scale", [units]).map((value) => Math.abs(value) + 0.1) : 0.3;
    const weight = (
      bits === 32
        ? { bits, shape, values: random(seed, "weight", shape) }
        : {
            ...{ bits, shape, scale, channelBits: null },
            codes: integersOf(seed, "weight", vocabulary * units, 2 * limit + 1).map((code) => code - limit),
          }
    ) as FrozenTensor;
    const kept = Array.from({ length: units }, (_, unit) => unit);
    const network = networkOf({
      ...{ kind: "embedding", id: "table", inputs: ["tokens"], outputShape: [length, units], weight },
      ...{ keptOutputs: kept, unprunedOutputs: units },
    });
    await sameAsTrainer(network, drawn, lower(network, form, fp32).bytes);
  });
  await t.resolves(fc.assert(property, { seed: 1, numRuns: 25 }));
});

const sample = networkOf({
  ...{ kind: "coded-embedding", id: "table", inputs: ["tokens"], outputShape: [4, 6], groups: 3 },
  codes: Uint16Array.from(integersOf(1, "codes", 7 * 3, 5)),
  values: random(1, "values", [3, 5, 2]),
  valuesShape: [3, 5, 2],
});

t.test("onnxruntime-web gives what onnxruntime-node gives, for texts of another length, too", async (t) => {
  const { bytes } = lower(sample, "compact", fp32);
  for (const length of [4, 9]) {
    const drawn = { seed: 1, vocabulary: 7, length, batch: 2 };
    const { tokens, found } = await sameAsTrainer(sample, drawn, bytes);
    const web = await runInWebAssembly({ bytes, images: tokens, shape: [2, length], output: outputName });
    t.doesNotThrow(() => near(web.values, found, 1e-6));
  }
});

t.test("a text of padding alone gives 0, and TensorFlow Lite files take no texts", async (t) => {
  const runtime = await RuntimeModel.load(lower(sample, "compact", fp32).bytes, "embedding");
  t.strictSame([...(await runtime.run(new Int32Array(4), [1, 4])).get(outputName)!], new Array(6).fill(0));
  await runtime.release();
  t.throws(() => lowerTflite(sample, { input: "uint8", metadata: {} }), {
    name: "UserError",
    message: /this network reads tokens/,
  });
});
