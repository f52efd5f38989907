import t from "tap";
import { publishedRuns } from "../../../../scripts/results/published.ts";
import { flashOf, floatFlash } from "../../../../src/report/run/hardware/flash.ts";
import { sampleRecord } from "../../../fixtures/sample-record.ts";

t.test(
  "weights and biases are the bytes that the record has, packed and in float32, in every committed record",
  async (t) => {
    for (const { record } of publishedRuns()) {
      const result = record.result!;
      const { weights, biases, scales } = flashOf(record, result, "packed");
      // Steps of channels with widths of their own are among their bytes there, and scales here.
      const steps = result.layers.reduce(
        (sum, { channelBits, keptOutputs }) => sum + (channelBits ? keptOutputs : 0),
        0,
      );
      t.equal(weights + biases + 4 * steps, result.bytes.packed, record.name);
      const float = floatFlash(record);
      t.equal(float.weights + float.biases, result.bytes.fp32, record.name);
      const isQuantized = result.layers.some(({ weightBits }) => weightBits < 32);
      t.equal(scales > 0, isQuantized, record.name);
    }
  },
);

t.test("scales are one for a tensor, or one for each output channel that is left", async (t) => {
  const record = sampleRecord();
  // Four weights and three activations.
  t.equal(flashOf(record, record.result!, "packed").scales, 4 * 7);
  const { method } = record.config;
  const config = { ...record.config, method: { ...method, weightRanges: "per-channel" } } as typeof record.config;
  t.equal(flashOf({ ...record, config }, record.result!, "packed").scales, 4 * (30 + 41 + 302 + 10 + 3));
});

t.test("channels with widths of their own have a step each, which their bytes count", async (t) => {
  const record = sampleRecord();
  const { layers, ...result } = record.result!;
  const [layer, ...others] = layers;
  const channelBits = Array.from({ length: layer!.outputs }, (_, channel) => (channel % 2 === 0 ? 2 : 8) as 2 | 8);
  const bytes = 1000 + 4 * layer!.keptOutputs + 4 * layer!.keptOutputs;
  const before = flashOf(record, { ...result, layers: [layer!] }, "packed");
  const mixed = flashOf(record, { ...result, layers: [{ ...layer!, channelBits, bytes }] }, "packed");
  t.strictSame(
    [mixed.weights, mixed.biases, mixed.scales - before.scales],
    [1000, 4 * layer!.keptOutputs, 4 * (layer!.keptOutputs - 1)],
  );
  t.ok(others.length > 0);
});

t.test("in whole bytes a weight of 2 bits takes 8, one of 16 bits 16", async (t) => {
  const record = sampleRecord();
  const result = record.result!;
  const count = result.layers.reduce((sum, { parameters, keptOutputs }) => sum + parameters - keptOutputs, 0);
  t.equal(flashOf(record, result, "bytes").weights, count);
  const wide = { ...result, layers: result.layers.map((layer) => ({ ...layer, weightBits: 16 as const })) };
  t.equal(flashOf(record, wide, "bytes").weights, 2 * count);
  t.equal(flashOf(record, wide, "packed").weights, 2 * count);
});

t.test("codes take their bits, or whole bytes, beside their codebook", async (t) => {
  const record = sampleRecord();
  const [layer] = record.result!.layers;
  const codebook = {
    blockSize: 9,
    centroids: 16,
    bitsPerWeight: 4 / 9,
    countedIndexBytes: 50,
    codeBits: 4 as const,
    indexBytes: 50,
    codebookBytes: 288,
  };
  const coded = { ...layer!, weightBits: 32 as const, bytes: 338 + 4 * layer!.keptOutputs, codebook };
  const of = (storage: "packed" | "bytes") => flashOf(record, { ...record.result!, layers: [coded] }, storage);
  t.match(of("packed"), { weights: 338, biases: 4 * layer!.keptOutputs });
  t.equal(of("bytes").weights, 388);
});
