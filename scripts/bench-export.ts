import { parseArgs } from "node:util";
import { onnxForms, saturations } from "../src/config/sections/export-settings.ts";
import { loadEngine } from "../src/engine/load-engine.ts";
import { freeze } from "../src/export/freeze.ts";
import { type FrozenTensor, isFrozenLayer } from "../src/export/frozen-network.ts";
import { kernelsOf } from "../src/export/kernels.ts";
import { LATENCY_SECONDS, measureLatency } from "../src/export/latency.ts";
import { lower } from "../src/export/onnx/lower.ts";
import { packedBytes } from "../src/export/onnx/packing.ts";
import { readModel } from "../src/export/onnx/read-model.ts";
import { defaultSaturation } from "../src/export/onnx/saturation.ts";
import { elementsOf } from "../src/graph/shape.ts";
import { createNetwork } from "../src/network/zoo/index.ts";
import { channelBytes } from "../src/quantization/channel-bytes.ts";
import { storedBits } from "../src/quantization/levels.ts";
import { createQuantizers } from "../src/quantizers/create-quantizers.ts";
import { insertQuantizers } from "../src/quantizers/insert-quantizers.ts";
import { withMixedRows } from "../test/fixtures/mixed-rows.ts";
import { sampleImages, sampleLearned } from "./bench/sample-learned.ts";

// npm run bench:export [-- --form int8] [--bits 4] [--network resnet20] [--saturation avoid]
// [--seconds 20] [--json]: latency of unpruned
// networks with as many bits everywhere against float32, in turn, what their layers run in, and the bytes of their weights
// (codes, scales, zero points, multiples) beside ceil(bits · elements / 8). With --bits mixed, rows of 2, 4 and 8 bits in
// every weight, against the same network with 8 bits everywhere.
const { values } = parseArgs({
  options: {
    bits: { type: "string", default: "8" },
    form: { type: "string", default: "compact" },
    json: { type: "boolean" },
    network: { type: "string" },
    saturation: { type: "string" },
    seconds: { type: "string", default: `${LATENCY_SECONDS}` },
  },
});
const form = onnxForms.find((form) => form === values.form);
if (form === undefined) throw new Error(`expected --form ${onnxForms.join(", ")}, got ${values.form}`);
const wanted = values.saturation ?? (await defaultSaturation());
const saturation = saturations.find((kind) => kind === wanted);
if (saturation === undefined) throw new Error(`expected --saturation ${saturations.join(", ")}, got ${wanted}`);
const mixed = values.bits === "mixed";
const bits = mixed ? 8 : Number(values.bits);
const gate = (width: number) => (width <= bits ? 6 : -6);
const initial = { prune: 6, bits4: gate(4), bits8: gate(8), bits16: gate(16), bits32: gate(32) };
const { ops } = await loadEngine();

const cases = [
  { name: "lenet5", inputShape: [28, 28, 1], quantizeAddends: false },
  { name: "vgg7", inputShape: [32, 32, 3], quantizeAddends: false },
  { name: "resnet20", inputShape: [32, 32, 3], quantizeAddends: false },
  { name: "resnet20", inputShape: [32, 32, 3], quantizeAddends: true },
] as const;

/** Bytes of a weight's codes, packed at their widths. */
function leastBytes(weight: FrozenTensor): number {
  const elements = elementsOf(weight.shape);
  if (weight.bits === 32 || weight.channelBits === null) return packedBytes(storedBits(weight.bits), elements);
  return channelBytes(weight.channelBits, elements / weight.channelBits.length).codes;
}

for (const { name, inputShape, quantizeAddends } of cases) {
  if (values.network !== undefined && values.network !== name) continue;
  const title = quantizeAddends ? `${name} with quantized addends` : name;
  const plain = createNetwork(name, { inputShape, classes: 10 });
  const network = insertQuantizers(plain, { quantizeAddends });
  const quantizers = createQuantizers(network, { pruning: true, initial, prior: "bop" });
  const learned = sampleLearned(network, { ops, quantizers, inputShape });
  const options = { input: "uint8", saturation, metadata: {} } as const;
  const images = sampleImages(inputShape);
  const oneWidth = freeze(learned);
  // 30 rows of 64 with 2 bits, 24 with 4, 10 with 8.
  const mix = [...Array(15).fill(2), ...Array(12).fill(4), ...Array(5).fill(8)];
  const frozen = mixed ? withMixedRows(oneWidth, { seed: 1, mix }) : oneWidth;
  const quantized = lower(frozen, form, options).bytes;
  const other = mixed ? "8 bits" : "fp32";
  const compared = mixed
    ? lower(oneWidth, form, options).bytes
    : lower(freeze({ ...learned, network: plain, quantizers: new Map() }), "fp32", options).bytes;
  const { integer, float } = await kernelsOf(quantized);
  const layers = frozen.nodes.filter(isFrozenLayer).length;
  const stored = (readModel(quantized, name).graph?.initializer ?? [])
    .filter(({ name }) => name.includes(".weight"))
    .reduce((total, { rawData }) => total + rawData.length, 0);
  const least = frozen.nodes.filter(isFrozenLayer).reduce((total, { weight }) => total + leastBytes(weight), 0);
  if (!values.json) {
    const others = float.length === 0 ? "" : `; in float32: ${float.join(", ")}`;
    process.stdout.write(`${title}: ${integer} of ${layers} layers in integer kernels${others}\n`);
    const more = (100 * (stored / least - 1)).toFixed(2);
    process.stdout.write(`${title}: ${quantized.length} bytes, weights ${stored}, ${more} % over ${least}\n`);
    if (mixed) process.stdout.write(`${title}: with 8 bits everywhere ${compared.length} bytes\n`);
  }
  const timed = { file: name, seconds: Number(values.seconds) };
  for (const latency of await measureLatency(timed, { bytes: quantized, images }, { bytes: compared, images })) {
    const { batch, medianMs, fp32MedianMs } = latency;
    const times = `${form} ${medianMs.toFixed(2)} ms, ${other} ${fp32MedianMs.toFixed(2)} ms`;
    const text = `${title}, batch ${batch}: ${times}, ${(fp32MedianMs / medianMs).toFixed(2)} times as fast`;
    const line = {
      network: name,
      quantizeAddends,
      form,
      bits: values.bits,
      stored,
      least,
      layers,
      integer,
      float,
      ...latency,
    };
    process.stdout.write(`${values.json ? JSON.stringify(line) : text}\n`);
  }
}
