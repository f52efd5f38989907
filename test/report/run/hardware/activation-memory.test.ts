import t from "tap";
import { publishedRuns } from "../../../../scripts/results/published.ts";
import { activationMemory, keptChannels } from "../../../../src/report/run/hardware/activation-memory.ts";
import { boxesOf } from "../../../../src/report/run/network/boxes.ts";
import { residualRecord } from "../../../fixtures/large-records.ts";
import { sampleRecord } from "../../../fixtures/sample-record.ts";

t.test("activations of LeNet-5, by hand", async (t) => {
  const memory = activationMemory(sampleRecord())!;
  // Pooling reads 24 · 24 · 30 kept channels of 2 bits and writes a quarter: more than the 784 pixels beside what conv1 writes.
  t.match(memory.packed, { peak: 4320 + 1080, bound: 4320 + 1080, at: "pool1" });
  t.match(memory.bytes, { peak: 17_280 + 4320, at: "pool1" });
  // Unpruned in float32: 4 · (24 · 24 · 32 + 12 · 12 · 32).
  t.match(memory.float32, { peak: 4 * (18_432 + 4608), at: "pool1" });
  t.equal(memory.packed.order.length, boxesOf(sampleRecord()).length);
});

t.test("sums that are read raw take 32 bits, and what skips them is alive meanwhile", async (t) => {
  const record = publishedRuns().find(({ record }) => record.name === "cifar10-resnet20")!.record;
  const memory = activationMemory(record)!;
  // The first stage's last sum: of 32 · 32 · 16 values raw ones and those of 4 bits are read, those of 8 bits written.
  t.equal(memory.packed.peak, 16_384 * (4 + 0.5 + 1));
  t.equal(memory.packed.at, "stage1.block3.sum");
  t.equal(memory.packed.bound, memory.packed.peak);
  t.equal(memory.float32.peak, 3 * 4 * 16_384);
});

t.test("large residual networks are counted in a moment, exactly", async (t) => {
  const memory = activationMemory(residualRecord({ blocks: 16 }))!;
  for (const { peak, bound } of Object.values(memory)) t.equal(peak, bound);
});

t.test("a record without a graph has none", async (t) => {
  const { graph: _, ...network } = sampleRecord().network;
  t.equal(activationMemory({ ...sampleRecord(), network }), null);
});

t.test(
  "channels that are left on the way into each layer are those that its result has, in every committed record",
  async (t) => {
    let looked = 0;
    for (const { record } of publishedRuns()) {
      if (record.network.graph === undefined) continue;
      const boxes = boxesOf(record);
      const kept = keptChannels(boxes);
      const shapes = new Map(boxes.map(({ id, shape }) => [id, shape]));
      const results = new Map(record.result!.layers.map((layer) => [layer.name, layer]));
      for (const { id, wires, state } of boxes) {
        if (state === null || state.layer.kind === "depthwise-conv2d") continue;
        const { from } = wires[0]!;
        const { keptInputs, inputs } = results.get(id)!;
        t.equal((kept.get(from)! / shapes.get(from)!.at(-1)!) * inputs, keptInputs, `${record.name}: ${id}`);
        looked++;
      }
    }
    t.ok(looked > 200, `${looked} layers`);
  },
);
