import t from "tap";
import type { Network } from "../../src/graph/graph.ts";
import { evenPadding, NetworkBuilder } from "../../src/network/builder.ts";
import { channelState, followChannels, keptChannels } from "../../src/network/channels.ts";
import { mobilenetv2 } from "../../src/network/zoo/mobilenetv2.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";

const { zero, constant, kept } = channelState;

/** The states of some nodes when layers keep only the given channels. */
function follow(network: Network, open: Readonly<Record<string, readonly number[]>>) {
  const states = followChannels(network, (layer) => open[layer] ?? null);
  return (id: string) => [...states.get(id)!];
}

const image = [6, 6, 1] as const;

t.test("a pruned channel is its bias, and goes through pooling and flattening", async (t) => {
  const network = new NetworkBuilder();
  let x = network.conv2d("conv1", network.input, { kernel: 3, inputs: 1, outputs: 3 });
  x = network.flatten("flatten", network.maxPool("pool", network.relu("relu", x), { size: 2 }));
  x = network.dense("fc", x, { inputs: 12, outputs: 2 });
  const plain = network.build({ name: "test", inputShape: image, classes: 2, output: x });
  const states = follow(insertQuantizers(plain, { pruning: true }), { conv1: [0, 2] });
  t.strictSame(states("conv1"), [kept, zero, kept]);
  t.strictSame(states("conv1.biased"), [kept, constant, kept]);
  t.strictSame(states("pool"), [kept, constant, kept]);
  t.strictSame(states("flatten").slice(0, 6), [kept, constant, kept, kept, constant, kept]);
  t.strictSame(states("fc"), [kept, kept]);
});

t.test("before a convolution that pads, the gates multiply the bias too", async (t) => {
  const network = new NetworkBuilder();
  let x = network.conv2d("conv1", network.input, { kernel: 3, inputs: 1, outputs: 2 });
  x = network.conv2d("conv2", network.relu("relu1", x), { kernel: 3, inputs: 2, outputs: 2, padding: evenPadding(1) });
  x = network.dense("fc", network.globalAveragePool("pool", network.relu("relu2", x)), { inputs: 2, outputs: 2 });
  const plain = network.build({ name: "test", inputShape: image, classes: 2, output: x });
  const quantized = insertQuantizers(plain, { pruning: true });
  const gateOf = (id: string) => {
    const node = quantized.nodes.find((node) => node.id === id);
    return node?.kind === "bias" ? node.gate : undefined;
  };
  t.equal(gateOf("conv1.biased"), "conv1.weight.quantizer");
  t.equal(gateOf("conv2.biased"), null, "its constant goes through the average into the dense layer's bias");
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
  const left = network.batchNorm("norm1", network.conv2d("left", network.input, options), { channels: 4 });
  const right = network.batchNorm("norm2", network.conv2d("right", network.input, options), { channels: 4 });
  const sum = network.relu("relu", network.add("sum", left, right));
  const x = network.conv2d("next", sum, { kernel: 3, inputs: 4, outputs: 2, padding: evenPadding(1) });
  const plain = network.build({ name: "test", inputShape: image, classes: 2, output: x });
  const states = follow(insertQuantizers(plain, { pruning: true }), { left: [0, 1], right: [1, 2] });
  for (const id of ["left", "right", "norm1", "sum", "sum.quantizer"]) {
    t.strictSame(states(id), [kept, kept, kept, zero], id);
  }
});

t.test("a shortcut that widens by zeros keeps what the other branch keeps", async (t) => {
  const network = new NetworkBuilder();
  const conv = { kernel: 1, bias: false };
  const first = network.batchNorm("norm1", network.conv2d("first", network.input, { ...conv, inputs: 1, outputs: 2 }), {
    channels: 2,
  });
  const start = network.relu("relu", first);
  const wide = network.padChannels("widened", start, [1, 1]);
  const second = network.batchNorm("norm2", network.conv2d("second", start, { ...conv, inputs: 2, outputs: 4 }), {
    channels: 4,
  });
  const sum = network.globalAveragePool("pool", network.add("sum", second, wide));
  const output = network.dense("fc", sum, { inputs: 4, outputs: 2 });
  const plain = network.build({ name: "test", inputShape: image, classes: 2, output });
  const states = follow(insertQuantizers(plain, { pruning: true }), { first: [0], second: [0] });
  t.strictSame(states("sum"), [kept, kept, zero, zero]);
  t.strictSame(states("widened"), [kept, kept, zero, zero]);
  t.strictSame(states("first"), [kept, zero]);
  t.strictSame(states("second"), [kept, kept, zero, zero]);
});

t.test("a depthwise convolution and the layer before it lose what either prunes", async (t) => {
  const plain = mobilenetv2({ inputShape: [32, 32, 3], classes: 10, width: 0.1 });
  const quantized = insertQuantizers(plain, { pruning: true });
  const states = followChannels(quantized, (layer) => {
    if (layer === "stage2.block1.expand") return Array.from({ length: 24 }, (_, channel) => channel);
    return layer === "stage2.block1.depthwise" ? Array.from({ length: 40 }, (_, channel) => channel + 8) : null;
  });
  const both = Array.from({ length: 16 }, (_, channel) => channel + 8);
  for (const id of ["expand", "expand.quantizer", "depthwise"]) {
    t.strictSame(keptChannels(states.get(`stage2.block1.${id}`)!), both, id);
  }
});

t.test("what another reader uses stays, though a depthwise convolution has closed it", async (t) => {
  const network = new NetworkBuilder();
  const options = { kernel: 3, inputs: 1, outputs: 3, padding: evenPadding(1) };
  const wide = network.relu("relu", network.conv2d("wide", network.input, options));
  const depthwise = network.depthwiseConv2d("depthwise", wide, { kernel: 3, channels: 3, padding: evenPadding(1) });
  const sum = network.globalAveragePool("pool", network.add("sum", depthwise, wide));
  const output = network.dense("fc", sum, { inputs: 3, outputs: 2 });
  const plain = network.build({ name: "test", inputShape: image, classes: 2, output });
  const states = follow(insertQuantizers(plain, { pruning: true }), { depthwise: [0, 2] });
  t.strictSame(states("wide"), [kept, kept, kept]);
});
