import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { bitsFile, bitsOf, bitsSchema } from "../../src/export/bits-file.ts";
import { type FrozenNode, isFrozenLayer } from "../../src/export/frozen-network.ts";
import { frozenNetwork, plainPlan } from "../fixtures/frozen-networks.ts";

t.test("bits.json has every tensor with its grid", async (t) => {
  const file = bitsFile(frozenNetwork(plainPlan));
  t.strictSame(bitsSchema.parse(JSON.parse(JSON.stringify(file))), file);
  t.strictSame(
    file.tensors.map(({ name, bits }) => [name, bits]),
    [
      ["conv1.weight", 2],
      ["quantizer1", 4],
      ["conv2.weight", 4],
      ["quantizer2", 2],
      ["fc1.weight", 8],
      ["quantizer3", 8],
      ["fc2.weight", 2],
    ],
  );
  const [conv1, quantizer1, , quantizer2] = file.tensors;
  t.match(conv1, {
    role: "weight",
    signed: true,
    codes: [-1, 1],
    zeroPoint: 0,
    channels: { kept: [0, 1, 2, 3, 4], of: 5 },
  });
  t.match(quantizer1, { role: "activation", signed: false, codes: [0, 15] });
  t.match(quantizer2, { signed: true, codes: [-1, 1] });
  t.equal(quantizer1!.range![1], 15 * (quantizer1!.scale as number));
});

t.test("a weight with a step for each channel lists them, and 3 bits say that they are stored in 4", async (t) => {
  const network = frozenNetwork({ ...plainPlan, weightBits: [3, 4, 8, 2], perChannel: true });
  const file = bitsFile(network);
  t.strictSame(bitsSchema.parse(JSON.parse(JSON.stringify(file))), file);
  const [conv1] = file.tensors;
  const { weight } = network.nodes.filter(isFrozenLayer)[0]!;
  t.match(conv1, { bits: 3, storedBits: 4, codes: [-3, 3] });
  t.strictSame(conv1!.scale, weight.bits === 32 ? null : [...(weight.scale as Float32Array)]);
  t.equal(conv1!.range![1], 3 * Math.max(...(conv1!.scale as number[])));
});

t.test("rows with widths of their own are listed, and the metadata counts them", async (t) => {
  const plain = frozenNetwork(plainPlan);
  const nodes = plain.nodes.map((node): FrozenNode => {
    if (!isFrozenLayer(node) || node.id !== "conv1") return node;
    const { shape } = node.weight;
    const codes = new Int32Array(shape.reduce((product, size) => product * size, 1));
    const channelBits = Uint8Array.of(2, 0, 8, 3, 2);
    const scale = Float32Array.of(100, 1000, 1, 2, 50);
    return { ...node, weight: { bits: 8, channelBits, scale, shape, codes } };
  });
  const network = { ...plain, nodes };
  const file = bitsFile(network);
  t.strictSame(bitsSchema.parse(JSON.parse(JSON.stringify(file))), file);
  t.match(file.tensors[0], { bits: 8, channelBits: [2, 0, 8, 3, 2], codes: [-127, 127] });
  t.strictSame(file.tensors[0]!.range, [-127, 127], "the row that reaches farthest: 1 · 100, 127 · 1, 3 · 2");
  t.equal(file.tensors[2]!.channelBits, undefined, "one width is no list");
  t.match(JSON.parse(bitsOf(network)), { "conv1.weight": { 0: 1, 2: 2, 3: 1, 8: 1 }, "conv2.weight": 4 });
});

t.test("its schema stands beside the configuration's", async (t) => {
  const expected = JSON.stringify(z.toJSONSchema(bitsSchema), null, 2);
  t.equal(readFileSync("configs/bits.schema.json", "utf8").trim(), expected, "npm run schema makes it");
});
