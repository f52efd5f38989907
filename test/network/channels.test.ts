import t from "tap";
import type { Network } from "../../src/kinds/index.ts";
import { evenPadding, NetworkBuilder } from "../../src/network/builder.ts";
import { channelState, followChannels, keptChannels } from "../../src/network/channels.ts";
import { mobilenetv2 } from "../../src/network/zoo/mobilenetv2.ts";
import { createQuantizers } from "../../src/quantizers/create-quantizers.ts";
import { gatedNodes, keptWhole } from "../../src/quantizers/gated-nodes.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { channelMarkup } from "../../src/report/run/sections/channels-section.ts";
import { describeQuantizers } from "../../src/training/record-entries.ts";
import { narrowNetworks } from "../fixtures/random-models.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

const { zero, constant, kept } = channelState;

/** The states of some nodes when layers keep only the given channels. */
function follow(network: Network, open: Readonly<Record<string, readonly number[]>>) {
  const all = new Map(Object.entries(open));
  for (const [quantizer, nodes] of gatedNodes(network)) {
    const layer = quantizer.replace(".weight.quantizer", "");
    for (const id of nodes) if (layer in open) all.set(id, open[layer]!);
  }
  const states = followChannels(network, (id) => all.get(id) ?? null);
  return (id: string) => [...states.get(id)!];
}

const image = [6, 6, 1] as const;

t.test("a pruned channel is its bias, and goes through pooling and flattening", async (t) => {
  const network = new NetworkBuilder();
  let x = network.conv2d("conv1", network.input(image), { kernel: 3, inputs: 1, outputs: 3 });
  x = network.flatten("flatten", network.maxPool("pool", network.relu("relu", x), { size: 2 }));
  x = network.dense("fc", x, { inputs: 12, outputs: 2 });
  const plain = network.build({ name: "test", outputs: [x] });
  const states = follow(insertQuantizers(plain), { conv1: [0, 2] });
  t.strictSame(states("conv1"), [kept, zero, kept]);
  t.strictSame(states("conv1.biased"), [kept, constant, kept]);
  t.strictSame(states("pool"), [kept, constant, kept]);
  t.strictSame(states("flatten").slice(0, 6), [kept, constant, kept, kept, constant, kept]);
  t.strictSame(states("fc"), [kept, kept]);
});

t.test("before a convolution that pads, the gates multiply the bias too", async (t) => {
  const network = new NetworkBuilder();
  let x = network.conv2d("conv1", network.input(image), { kernel: 3, inputs: 1, outputs: 2 });
  x = network.conv2d("conv2", network.relu("relu1", x), { kernel: 3, inputs: 2, outputs: 2, padding: evenPadding(1) });
  x = network.dense("fc", network.globalAveragePool("pool", network.relu("relu2", x)), { inputs: 2, outputs: 2 });
  const plain = network.build({ name: "test", outputs: [x] });
  const quantized = insertQuantizers(plain);
  t.strictSame(
    [...gatedNodes(quantized)],
    [
      ["conv1.weight.quantizer", ["conv1.weight.quantizer", "conv1.biased"]],
      // Its constant goes through the average into the dense layer's bias.
      ["conv2.weight.quantizer", ["conv2.weight.quantizer"]],
    ],
  );
  const states = follow(quantized, { conv1: [1], conv2: [0] });
  t.strictSame(states("conv1.biased"), [zero, kept]);
  t.strictSame(states("pool"), [kept, constant]);

  t.test("without gates its constant channels stay", async (t) => {
    t.strictSame(follow(plain, { conv1: [1] })("conv1.biased"), [kept, kept]);
  });
});

t.test("what is added up shares the union of the kept channels", async (t) => {
  const network = new NetworkBuilder();
  const options = { kernel: 3, inputs: 1, outputs: 4, padding: evenPadding(1), bias: false };
  const input = network.input(image);
  const left = network.batchNorm("norm1", network.conv2d("left", input, options), { channels: 4 });
  const right = network.batchNorm("norm2", network.conv2d("right", input, options), { channels: 4 });
  const sum = network.relu("relu", network.add("sum", left, right));
  const x = network.conv2d("next", sum, { kernel: 3, inputs: 4, outputs: 2, padding: evenPadding(1) });
  const plain = network.build({ name: "test", outputs: [x] });
  const states = follow(insertQuantizers(plain), { left: [0, 1], right: [1, 2] });
  for (const id of ["left", "right", "norm1", "sum", "sum.quantizer"]) {
    t.strictSame(states(id), [kept, kept, kept, zero], id);
  }
});

t.test("a shortcut that widens by zeros keeps what the other branch keeps", async (t) => {
  const network = new NetworkBuilder();
  const conv = { kernel: 1, bias: false };
  const first = network.batchNorm(
    "norm1",
    network.conv2d("first", network.input(image), { ...conv, inputs: 1, outputs: 2 }),
    {
      channels: 2,
    },
  );
  const start = network.relu("relu", first);
  const wide = network.padChannels("widened", start, [1, 1]);
  const second = network.batchNorm("norm2", network.conv2d("second", start, { ...conv, inputs: 2, outputs: 4 }), {
    channels: 4,
  });
  const sum = network.globalAveragePool("pool", network.add("sum", second, wide));
  const output = network.dense("fc", sum, { inputs: 4, outputs: 2 });
  const plain = network.build({ name: "test", outputs: [output] });
  const states = follow(insertQuantizers(plain), { first: [0], second: [0] });
  t.strictSame(states("sum"), [kept, kept, zero, zero]);
  t.strictSame(states("widened"), [kept, kept, zero, zero]);
  t.strictSame(states("first"), [kept, zero]);
  t.strictSame(states("second"), [kept, kept, zero, zero]);
});

t.test("a depthwise convolution and the layer before it lose what either prunes", async (t) => {
  const plain = mobilenetv2({ inputShape: [32, 32, 3], classes: 10, width: 0.1 });
  const quantized = insertQuantizers(plain);
  const states = follow(quantized, {
    "stage2.block1.expand": Array.from({ length: 24 }, (_, channel) => channel),
    "stage2.block1.depthwise": Array.from({ length: 40 }, (_, channel) => channel + 8),
  });
  const both = Array.from({ length: 16 }, (_, channel) => channel + 8);
  for (const id of ["expand", "expand.quantizer", "depthwise"]) {
    t.strictSame(keptChannels(Uint8Array.from(states(`stage2.block1.${id}`))), both, id);
  }
});

t.test("what another reader uses stays, though a depthwise convolution has closed it", async (t) => {
  const network = new NetworkBuilder();
  const options = { kernel: 3, inputs: 1, outputs: 3, padding: evenPadding(1) };
  const wide = network.relu("relu", network.conv2d("wide", network.input(image), options));
  const depthwise = network.depthwiseConv2d("depthwise", wide, { kernel: 3, channels: 3, padding: evenPadding(1) });
  const sum = network.globalAveragePool("pool", network.add("sum", depthwise, wide));
  const output = network.dense("fc", sum, { inputs: 3, outputs: 2 });
  const plain = network.build({ name: "test", outputs: [output] });
  const states = follow(insertQuantizers(plain), { depthwise: [0, 2] });
  t.strictSame(states("wide"), [kept, kept, kept]);
});

t.test("a product is pruned where one of its factors is, and no factor of a kept one is a constant", async (t) => {
  const network = new NetworkBuilder();
  const wide = network.conv2d("conv1", network.input(image), { kernel: 3, inputs: 1, outputs: 3 });
  const pooled = network.globalAveragePool("squeeze", wide);
  const gate = network.dense("gate", pooled, { inputs: 3, outputs: 3 });
  const open = network.nonlinear("sigmoid", gate, { kind: "sigmoid" });
  const product = network.multiply("product", wide, open);
  const output = network.conv2d("conv2", product, { kernel: 1, inputs: 3, outputs: 2 });
  const quantized = insertQuantizers(network.build({ name: "test", outputs: [output] }));
  t.ok(
    [...gatedNodes(quantized).values()].some((nodes) => nodes.includes("conv1.biased")),
    "its bias is gated: times another value a constant is none",
  );
  const withoutOne = follow(quantized, { conv1: [0, 2] });
  t.strictSame(withoutOne("product"), [kept, zero, kept]);
  t.strictSame(withoutOne("conv1.biased"), [kept, zero, kept]);
  // What a closed gate makes is sigmoid(bias), the same for all images, but the product is not.
  const withoutGate = follow(quantized, { gate: [0, 2] });
  t.strictSame(withoutGate("product"), [kept, kept, kept]);
  t.strictSame(withoutGate("sigmoid"), [kept, kept, kept]);
});

t.test("all channels of an output stay, whichever layers they come from", async (t) => {
  for (const kind of ["concat", "multiply"] as const) {
    const network = new NetworkBuilder();
    const hidden = network.relu(
      "relu",
      network.dense("fc", network.flatten("flat", network.input(image)), { inputs: 36, outputs: 6 }),
    );
    const heads = ["left", "right"].map((id) => network.dense(id, hidden, { inputs: 6, outputs: 3 }));
    const output = network.node({ kind, id: "output", inputs: [heads[0]!, heads[1]!] });
    const quantized = insertQuantizers(network.build({ name: "test", outputs: [output] }));
    t.strictSame([...gatedNodes(quantized).keys()], ["fc.weight.quantizer"], `${kind}: heads have no gates`);
    const states = follow(quantized, { fc: [1, 2], left: [0], right: [2] });
    t.strictSame(states("fc").filter((state) => state === kept).length, 2);
    t.ok(
      states("output").every((state) => state === kept),
      kind,
    );
    t.ok(
      states("left").every((state) => state === kept),
      kind,
    );
  }
});

t.test(
  "each group of a grouped convolution keeps as many channels, in and out, as the one that keeps most",
  async (t) => {
    const network = new NetworkBuilder();
    const stem = network.relu(
      "stem.relu",
      network.conv2d("stem", network.input(image), { kernel: 1, inputs: 1, outputs: 6 }),
    );
    const grouped = network.conv2d("grouped", stem, { kernel: 3, inputs: 6, outputs: 6, groups: 2 });
    const pooled = network.globalAveragePool("pool", network.relu("relu", grouped));
    const output = network.dense("fc", pooled, { inputs: 6, outputs: 2 });
    const quantized = insertQuantizers(network.build({ name: "test", outputs: [output] }));
    const states = follow(quantized, { stem: [0, 2, 4], grouped: [0, 3, 4] });
    // Of the first group one stays that is closed, of the second group's inputs too.
    t.strictSame(keptChannels(Uint8Array.from(states("grouped"))), [0, 2, 3, 4]);
    t.strictSame(keptChannels(Uint8Array.from(states("stem"))), [0, 2, 4, 5]);
    const even = follow(quantized, { stem: [1, 3], grouped: [2, 5] });
    t.strictSame(keptChannels(Uint8Array.from(even("grouped"))), [2, 5]);
    t.strictSame(keptChannels(Uint8Array.from(even("stem"))), [1, 3]);
  },
);

t.test("layers whose channels all stay say why", async (t) => {
  const network = insertQuantizers(narrowNetworks.attention!());
  const why = keptWhole(network);
  t.strictSame(Object.fromEntries(why), {
    "patches.weight.quantizer": "sequence (reshape) needs them all, in their places",
    "qkv.weight.quantizer": "query (slice) needs them all, in their places",
    "out.weight.quantizer": "norm2 (layer-norm) needs them all, in their places",
    "fc2.weight.quantizer": "they are the network’s outputs",
  });
  t.strictSame([...gatedNodes(network).keys()], ["fc1.weight.quantizer"]);

  const quantizers = (pruning: boolean) => {
    const gates = { prune: 6, bits4: 6, bits8: 6, bits16: 6, bits32: 6 };
    return describeQuantizers(network, createQuantizers(network, { pruning, initial: gates, prior: "const" }));
  };
  t.strictSame(new Map(quantizers(true).flatMap(({ id, keepsAll }) => (keepsAll ? [[id, keepsAll]] : []))), why);
  t.ok(
    quantizers(false).every(({ keepsAll }) => keepsAll === undefined),
    "nothing is pruned",
  );
  const said = `${channelMarkup({ ...sampleRecord(), quantizers: quantizers(true) })}`;
  t.match(said, /4 layers keep all their channels<.*<li>.*out.*: norm2 \(layer-norm\) needs them all/);
  t.notMatch(`${channelMarkup({ ...sampleRecord() })}`, /keep all their channels/);
});
