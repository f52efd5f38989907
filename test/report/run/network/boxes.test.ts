import t from "tap";
import { publishedRuns } from "../../../../scripts/results/published.ts";
import { boxesOf } from "../../../../src/report/run/network/boxes.ts";
import type { RunRecord } from "../../../../src/runs/record.ts";
import { sampleRecord, unfinishedRecord } from "../../../fixtures/sample-record.ts";

const wiresOf = (record: RunRecord) =>
  boxesOf(record).map(({ id, wires }) => [id, ...wires.map(({ from, bits }) => `${from} ${bits}`)]);

t.test(
  "layers and pooling are boxes; what lies between is part of the line, which carries the learned bits",
  async (t) => {
    t.strictSame(wiresOf(sampleRecord()), [
      ["input"],
      ["conv1", "input 8"],
      ["pool1", "conv1 2"],
      ["conv2", "pool1 2"],
      ["pool2", "conv2 2"],
      ["fc1", "pool2 2"],
      ["fc2", "fc1 4"],
    ]);
  },
);

t.test("every published run is drawn with the input bits and the kept channels that its record has", async (t) => {
  for (const { record } of publishedRuns()) {
    const layers = boxesOf(record).flatMap(({ id, wires, state }) => (state ? [[id, wires[0]?.bits, state.kept]] : []));
    const recorded = record.result?.layers.map(({ name, inputBits, keptOutputs }) => [name, inputBits, keptOutputs]);
    t.strictSame(layers, recorded, record.name);
  }
});

t.test("while it runs, a run is drawn with the input bits that its record will have", async (t) => {
  for (const { record } of publishedRuns()) {
    const bits = boxesOf({ ...record, result: null }).flatMap(({ wires, state }) => (state ? [wires[0]?.bits] : []));
    t.strictSame(
      bits,
      record.result?.layers.map(({ inputBits }) => inputBits),
      record.name,
    );
  }
});

t.test("a record from before the graph was kept is a chain of its layers", async (t) => {
  const record = sampleRecord();
  const { graph: _, ...network } = record.network;
  t.strictSame(
    boxesOf({ ...record, network }).map(({ id, kind }) => `${kind} ${id}`),
    ["input the network's input", "layer conv1", "layer conv2", "layer fc1", "layer fc2"],
  );
});

t.test("bits are not known before the first epoch", async (t) => {
  const fc1 = boxesOf(unfinishedRecord({ epochs: 0 })).find(({ id }) => id === "fc1")!;
  t.equal(fc1.wires[0]!.bits, null);
  t.equal(fc1.state!.weightBits, null);
});

t.test("a residual sum reads both of its inputs, each with its own bits", async (t) => {
  const record = sampleRecord();
  const shape = [8, 8, 32];
  const graph = [
    { id: "input", kind: "input", inputs: [], shape },
    { id: "conv1", kind: "conv2d", inputs: ["input"], shape },
    { id: "conv1.quantizer", kind: "quantizer", inputs: ["conv1"], shape },
    { id: "conv2", kind: "conv2d", inputs: ["conv1.quantizer"], shape },
    // A norm whose statistics come from a second convolution reads the layer's input too.
    { id: "conv2.norm", kind: "folded-norm", inputs: ["conv2", "conv1.quantizer"], shape },
    { id: "sum", kind: "add", inputs: ["conv2.norm", "conv1.quantizer"], shape },
    { id: "fc1.quantizer", kind: "quantizer", inputs: ["sum"], shape },
    { id: "fc2", kind: "dense", inputs: ["fc1.quantizer"], shape: [10] },
  ];
  t.strictSame(wiresOf({ ...record, network: { ...record.network, graph } }), [
    ["input"],
    ["conv1", "input 8"],
    ["conv2", "conv1 2"],
    ["sum", "conv2 32", "conv1 2"],
    ["fc2", "sum 4"],
  ]);
});

t.test("a shortcut that is padded keeps its bits", async (t) => {
  const record = sampleRecord();
  const shape = [8, 8, 32];
  const graph = [
    { id: "input", kind: "input", inputs: [], shape },
    { id: "conv1", kind: "conv2d", inputs: ["input"], shape },
    { id: "conv1.quantizer", kind: "quantizer", inputs: ["conv1"], shape },
    { id: "conv2", kind: "conv2d", inputs: ["conv1.quantizer"], shape },
    { id: "pad", kind: "pad", inputs: ["conv1.quantizer"], shape },
    { id: "sum", kind: "add", inputs: ["conv2", "pad"], shape },
  ];
  const wires = wiresOf({ ...record, network: { ...record.network, graph } });
  t.strictSame(wires.at(-1), ["sum", "conv2 32", "pad 2"]);
});
