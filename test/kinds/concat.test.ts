import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Tensor } from "../../src/engine/ops.ts";
import { nodesById } from "../../src/graph/walk.ts";
import { type ConcatNode, concat } from "../../src/kinds/concat.ts";
import { channelState, followChannels } from "../../src/network/channels.ts";
import { layersOf } from "../../src/network/layers.ts";
import { gatedNodes } from "../../src/quantizers/gated-nodes.ts";
import { insertQuantizers } from "../../src/quantizers/insert-quantizers.ts";
import { concatNetwork } from "../fixtures/concat-network.ts";
import { elementsOf, engineKinds, holds, matches, random } from "../fixtures/engines.ts";
import { passForKind } from "../fixtures/pass-for-kind.ts";

const node: ConcatNode = { kind: "concat", id: "concat", inputs: ["a", "b"] };
const size = fc.integer({ min: 1, max: 4 });
const cases = fc.record({
  seed: fc.nat(1000),
  leading: fc.array(size, { minLength: 1, maxLength: 4 }),
  channels: fc.array(size, { minLength: 2, maxLength: 4 }),
});

for (const { kind, skip } of engineKinds) {
  t.test(`tensors of any rank stand side by side, and their gradients come apart (${kind})`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    holds(t, ops, cases, ({ seed, leading, channels }) => {
      const rows = elementsOf(leading);
      const total = channels.reduce((sum, size) => sum + size, 0);
      const parts = channels.map((size, part) => random(seed, `${part}`, [...leading, size]));
      const expected = Array.from({ length: rows }, (_, row) =>
        parts.flatMap((values, part) => [...values.subarray(row * channels[part]!, (row + 1) * channels[part]!)]),
      ).flat();
      const inputs = parts.map((values, part) => ops.tensor(values, [...leading, channels[part]!]));
      const { output, saved } = concat.forward(node, inputs as [Tensor, Tensor, ...Tensor[]], passForKind(ops));
      matches(ops, output, [...leading, total], expected, 0);
      const gradient = ops.tensor(Float32Array.from(expected), [...leading, total]);
      const gradients = concat.backward(node, gradient, saved, passForKind(ops), []);
      for (const [part, values] of parts.entries()) {
        matches(ops, gradients[part]!, [...leading, channels[part]!], values, 0);
      }
    });
  });
}

t.test("shapes may differ in the last axis alone", async (t) => {
  t.strictSame(
    concat.shape(node, [
      [4, 5, 2],
      [4, 5, 3],
    ]),
    [4, 5, 5],
  );
  t.throws(
    () =>
      concat.shape(node, [
        [4, 5, 2],
        [5, 5, 2],
      ]),
    {
      message: "concat: puts [4,5,2], [5,5,2] side by side, which differ in more than the last axis",
    },
  );
  t.throws(() => concat.shape(node, [[], []]), { message: /^concat: puts \[\], \[\] side by side/ });
});

t.test("one quantizer stands behind it; what others read as well has its own", async (t) => {
  const quantized = insertQuantizers(concatNetwork());
  const nodes = nodesById(quantized);
  t.match(nodes.get("concat1"), { inputs: ["stem.quantizer", "left.pool"] });
  t.match(nodes.get("left.pool"), { inputs: ["left.relu"] });
  t.match(nodes.get("concat1.quantizer"), { inputs: ["concat1"], signed: false });
  t.match(nodes.get("concat2"), { inputs: ["concat1", "right.norm", "side.biased"] });
  t.match(nodes.get("concat2.quantizer"), { signed: true });
  t.match(nodes.get("concat3.quantizer"), { signed: false });
  t.strictSame(
    layersOf(quantized).map(({ name, inputQuantizer, previous }) => [name, inputQuantizer, previous]),
    [
      ["stem", null, null],
      ["left", "stem.quantizer", "stem"],
      ["right", "concat1.quantizer", null],
      ["side", "stem.quantizer", "stem"],
      ["third", "concat2.quantizer", null],
      ["fc", "concat3.quantizer", null],
    ],
  );
});

t.test("channels of all inputs go through it, forwards and backwards", async (t) => {
  const network = concatNetwork();
  const { zero, constant, kept } = channelState;
  const open: Readonly<Record<string, readonly number[]>> = { stem: [0, 3], left: [1], side: [0, 2] };
  const all = new Map(Object.entries(open));
  const quantized = insertQuantizers(network);
  for (const [quantizer, nodes] of gatedNodes(quantized)) {
    const layer = quantizer.replace(".weight.quantizer", "");
    for (const id of nodes) if (layer in open) all.set(id, open[layer]!);
  }
  // Behind it a convolution pads with zeros: the biases of what stands in it are gated.
  t.ok(all.has("stem.biased") && all.has("left.biased") && all.has("side.biased"));
  const states = followChannels(quantized, (id) => all.get(id) ?? null);
  const stem = [kept, zero, zero, kept, zero];
  t.strictSame([...states.get("concat1")!], [...stem, zero, kept, zero, zero]);
  t.strictSame([...states.get("concat2")!].slice(9), [...new Array(6).fill(kept), kept, zero, kept]);
  // Without gates at the biases, constants stay where the convolution behind it pads.
  const plain = followChannels(network, (id) => open[id] ?? null);
  t.strictSame([...plain.get("left.relu")!], new Array(4).fill(kept));
  t.notOk([...plain.get("mean")!].includes(constant));
});
