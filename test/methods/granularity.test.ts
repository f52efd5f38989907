import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { UsageError } from "../../src/core/errors.ts";
import { account } from "../../src/methods/bit-accounting.ts";
import { budgetOf } from "../../src/methods/budget.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { fitBudget } from "../../src/methods/fit-budget.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import { channelBytes } from "../../src/quantization/channel-bytes.ts";
import { type BitWidth, bitWidths, type ChannelBits } from "../../src/quantization/levels.ts";
import { setBits, setGroupBits } from "../../src/quantizers/level-gates.ts";
import { random } from "../fixtures/engines.ts";

const plain = lenet5({ inputShape: [28, 28, 1], classes: 10 });

function made(settings: Record<string, unknown>) {
  const { method: parsed } = configSchema.parse({
    ...{ name: "x", data: { name: "mnist" }, network: { name: "lenet5" }, training: { epochs: 1 } },
    method: settings,
  });
  const method = createMethod(parsed, 1);
  const network = method.prepare(plain);
  return { network, quantizers: method.quantizers(network) };
}

const list = (length: number, bits: ChannelBits) => new Array<ChannelBits>(length).fill(bits);
const granular = (granularity: unknown) => made({ name: "bayesian-bits", granularity });

t.test("equal widths cost what they cost together: bit operations, and bytes", async (t) => {
  for (const bits of bitWidths) {
    const costs = ["tensor", "channel", { group: 8 }].map((granularity) => {
      const { network, quantizers } = granular(granularity);
      for (const quantizer of quantizers.values()) setBits(quantizer, bits);
      const { relativeBops, packedBytes, layers } = account(network, quantizers);
      return { relativeBops, packedBytes, widths: layers.map(({ channelBits }) => channelBits) };
    });
    for (const cost of costs) t.strictSame(cost, costs[0], `${bits} bits`);
  }
});

t.test("widths of channels are counted by the channel, bytes with steps and order", async (t) => {
  const { network, quantizers } = granular("channel");
  for (const [id, quantizer] of quantizers) {
    setBits(quantizer, 8);
    if (quantizer.groups.count === 1) continue;
    const drawn = random(7, id, [quantizer.groups.count], 1);
    setGroupBits(
      quantizer,
      Array.from(drawn, (value): BitWidth => bitWidths[Math.floor(1.5 * (value + 1))]!),
    );
    quantizer.prune?.fill(-6, 1, 3);
  }
  const { layers, packedBytes } = account(network, quantizers);
  let bytes = 0;
  for (const { layer, channelBits, cost, bops, keptInputs, inputs } of layers) {
    t.ok(channelBits !== null, layer.name);
    const widths = channelBits ?? [];
    const [outputs, inner] = [widths.length, layer.weightShape.slice(0, -1).reduce((a, b) => a * b)];
    const sum = widths.reduce<number>((total, width) => total + width, 0);
    // MACs/C · bits(input) · keep(in) · Σ_j b_j
    const expected = (layer.macs / outputs) * cost.inputBits * (keptInputs / inputs) * sum;
    t.ok(Math.abs(bops / expected - 1) < 1e-12, layer.name);
    const kept = widths.filter((width) => width !== 0);
    t.equal(kept.length, layer.name === "fc2" ? outputs : outputs - 2);
    const { codes, steps, order } = channelBytes(kept, (inner * keptInputs) / inputs);
    bytes += codes + steps + order + 4 * kept.length;
  }
  t.equal(packedBytes, bytes);
});

t.test("gates of channels are decided so that a budget is kept, and used", async (t) => {
  for (const target of [{ relativeBops: 1 }, { relativeBops: 3 }, { sizeBytes: 200_000 }]) {
    const { network, quantizers } = granular({ group: 16 });
    for (const [id, { phi, prune }] of quantizers) {
      phi.set(random(3, `${id} phi`, [phi.length], 3));
      prune?.set(random(3, `${id} prune`, [prune.length], 3));
    }
    const budget = budgetOf(network, target);
    const cost = fitBudget(quantizers, budget);
    t.ok(cost <= budget.limit && cost >= 0.85 * budget.limit, `${JSON.stringify(target)}: ${cost}`);
  }
});

t.test("a level of a group opens no sooner than those below it in that group", async (t) => {
  const { quantizers } = granular({ group: 32 });
  for (const { phi, prune } of quantizers.values()) {
    phi.fill(-5);
    prune?.fill(6);
  }
  // conv2 has two groups: z_8 of the first is nearest to opening, but its z_4 stands behind that of the second.
  const { phi, channelBits: before } = quantizers.get("conv2.weight.quantizer")!;
  phi.set([-1.5, -1.2, -1]);
  t.strictSame(new Set(before), new Set([2]));
  const wider = () => quantizers.get("conv2.weight.quantizer")!.channelBits!.filter((bits) => bits > 2).length;
  fitBudget(quantizers, { limit: 100, cost: () => 90 + wider() / 4, expected: () => 0 });
  t.strictSame(quantizers.get("conv2.weight.quantizer")?.channelBits, [...list(32, 2), ...list(32, 4)]);
});

t.test("what does not fit the network is refused with the place, what was expected, and what was given", async (t) => {
  const refused = (settings: Record<string, unknown>, message: string) =>
    t.throws(() => made(settings), new UsageError(message));
  const fixed = (id: string, bits: unknown) => ({ name: "fixed", tensors: { [id]: bits } });
  refused(
    { name: "bayesian-bits", granularity: { group: 513 } },
    "method.granularity.group: expected at most 512, the output channels of the widest layer of lenet5, got 513; with tensor all channels share their bit-width",
  );
  refused(
    fixed("conv1.weight.quantizer", list(31, 4)),
    "method.tensors.conv1.weight.quantizer: expected 32 bit-widths, one for each output channel of conv1, got 31",
  );
  refused(
    fixed("conv1.weight.quantizer", list(32, 0)),
    "method.tensors.conv1.weight.quantizer: expected at least one channel that stays, got 0 bits for all",
  );
  refused(
    fixed("fc2.weight.quantizer", [...list(9, 4), 0]),
    "method.tensors.fc2.weight.quantizer: expected 2, 4, 8 or 16 bits for each channel of fc2, the network's outputs, got 0 among them",
  );
  refused(
    fixed("conv1.quantizer", [4]),
    "method.tensors.conv1.quantizer: expected one bit-width: only weights have some for each output channel (conv1.weight.quantizer, conv2.weight.quantizer, fc1.weight.quantizer, fc2.weight.quantizer), got 1",
  );
});

t.test("a table may give the widths of channels, and prune some", async (t) => {
  const bits = Array.from({ length: 32 }, (_, channel) => ([0, 2, 4, 8] as const)[channel % 4]!);
  const { network, quantizers } = made({ name: "fixed", tensors: { "conv1.weight.quantizer": bits } });
  const { layers } = account(network, quantizers);
  t.strictSame(layers[0]?.channelBits, bits);
  t.equal(layers[0]?.keptOutputs, 24);
  t.equal(layers[1]?.keptInputs, 24, "pruned channels are not read");
  const quantizer = quantizers.get("conv1.weight.quantizer");
  t.strictSame(
    quantizer?.learned.map(({ name }) => name),
    ["range"],
    "gates stand",
  );
});
