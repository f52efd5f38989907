import { z } from "zod";

const count = z.int().nonnegative();

/** What an embedding by codes takes. */
export const codedSchema = z.object({
  name: z.string(),
  vocabulary: count.describe("tokens that have codes"),
  units: count.describe("of an embedding"),
  groups: count.describe("codes of each token"),
  codewords: count.describe("that a code names one of"),
  shared: z.boolean().describe("whether all groups have the same codewords"),
  codeBytes: count.describe("of the codes in a file: 2, 4, 8 or 16 bits each, each token's in bytes of their own"),
  valueBytes: count.describe("of the codewords, float32"),
  countedBits: z.number().describe("of both at log2 of the codewords, rounded up: how the paper counts"),
  fp32Bytes: count.describe("of the table in float32"),
});
