import { z } from "zod";
import { listOf } from "../core/list-schema.ts";

const count = z.int().nonnegative();
const quantizer = z.string().nullable();
const bits = z.literal([2, 3, 4, 8, 16, 32]);

/** Products of two activations in a network. */
export const productsSchema = listOf(
  z.object({
    name: z.string(),
    outputShape: z.array(count).describe("of the matrices that it gives, without the batch"),
    macs: count.describe("multiply-accumulates for one sample"),
    quantizers: z.tuple([quantizer, quantizer]).describe("of what it multiplies; null: it is not quantized"),
  }),
);

/** What the learned bits come to in each of them. */
export const productResultsSchema = listOf(
  z.object({
    name: z.string(),
    bits: z.tuple([bits, bits]).describe("of what it multiplies"),
    bops: z.number(),
    share: z.number().min(0).max(100).describe("of the network's bit operations"),
  }),
);
