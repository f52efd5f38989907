import { z } from "zod";
import { integerWidth, quantization, target } from "./shared-settings.ts";

/** The search that learned bit-widths are compared with: measured on data.validationShare, then greedy. */
export const sensitivity = z.strictObject({
  name: z
    .literal("sensitivity")
    .describe("each quantizer is tried alone at low bits; the least sensitive are lowered until the budget is met"),
  low: integerWidth.default(4).describe("bits that quantizers are lowered to"),
  high: integerWidth.default(8).describe("bits of those that are not lowered"),
  target,
  trainWeights: z
    .boolean()
    .default(true)
    .describe("whether weights learn on at the bits that were found; false: only ranges do"),
  ...quantization,
});
