import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { bitsFile, bitsSchema } from "../../src/export/bits-file.ts";
import { isFrozenLayer } from "../../src/export/frozen-network.ts";
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

t.test("its schema stands beside the configuration's", async (t) => {
  const expected = JSON.stringify(z.toJSONSchema(bitsSchema), null, 2);
  t.equal(readFileSync("configs/bits.schema.json", "utf8").trim(), expected, "npm run schema makes it");
});
