import t from "tap";
import { publishedRuns } from "../../../../scripts/results/published.ts";
import { floatParts } from "../../../../src/report/run/hardware/float-parts.ts";
import { sampleRecord } from "../../../fixtures/sample-record.ts";

t.test("a network whose weights and activations are codes computes in integers alone", async (t) => {
  t.strictSame(floatParts(sampleRecord()), []);
});

t.test("channels normalised apart, wide weights, wide activations and raw sums keep it from that", async (t) => {
  const record = sampleRecord();
  const normalization = { mean: [0.1], deviation: [1] };
  t.match(floatParts({ ...record, data: { ...record.data, normalization } }), [/^the first layer’s input/]);
  const last = record.epochs.at(-1)!;
  const widened = (id: string) => {
    const quantizers = { ...last.quantizers, [id]: { ...last.quantizers[id]!, bits: 32 as const } };
    const layers = record.result!.layers.map((layer) =>
      id === "fc1.quantizer" && layer.name === "fc2" ? { ...layer, inputBits: 32 as const } : layer,
    );
    return { ...record, epochs: [{ ...last, quantizers }], result: { ...record.result!, layers } };
  };
  t.strictSame(floatParts(widened("fc2.weight.quantizer")), ["a weight in float32 (fc2)"]);
  t.strictSame(floatParts(widened("fc1.quantizer")), ["a layer that reads float32 (fc2)"]);
  const resnet = publishedRuns().find(({ record }) => record.name === "cifar10-resnet20")!.record;
  t.strictSame(floatParts(resnet), [
    "the first layer’s input, as its normalised pixels share no grid with a whole zero point",
    "9 operations on raw sums (stage1.block1.sum is the first)",
  ]);
});
