import { z } from "zod";
import { count, positive } from "../numbers.ts";

/** Embeddings as codes and the codewords that they stand for; other layers stay in float32. */
export const dpq = z.strictObject({
  name: z.literal("dpq").describe("embedding tables are learned as codes and codewords, side by side in groups"),
  variant: z
    .enum(["sx", "vq"])
    .default("sx")
    .describe(
      "sx: codes by the largest product with a key, learned through a softmax; vq: by the nearest codeword, learned straight through",
    ),
  codewords: z
    .int()
    .min(2)
    .max(2 ** 16)
    .default(32)
    .describe("codewords of each group, of which a code names one"),
  groups: count.default(50).describe("codes of a token: into so many parts an embedding is cut"),
  shared: z.boolean().default(false).describe("whether all groups have the same codewords"),
  batchNorm: z
    .enum(["codeword", "group", "none"])
    .default("codeword")
    .describe(
      "what batch normalization of responses takes together, so that all codewords are used: a codeword's of all groups, as the authors do; of each group, which is cleaner where groups have codewords of their own; or nothing",
    ),
  temperature: positive.default(1).describe("of the softmax, by which its responses are divided"),
  beta: z
    .number()
    .min(0)
    .default(0)
    .describe("sx: weight of the softmax's logarithm at its code; vq: weight of what pulls queries to their codewords"),
});
