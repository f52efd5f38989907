import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { bitsFile, bitsSchema } from "../../src/export/bits-file.ts";
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
  t.equal(quantizer1!.range![1], 15 * quantizer1!.scale!);
});

t.test("its schema stands beside the configuration's", async (t) => {
  const expected = JSON.stringify(z.toJSONSchema(bitsSchema), null, 2);
  t.equal(readFileSync("configs/bits.schema.json", "utf8").trim(), expected, "npm run schema makes it");
});
