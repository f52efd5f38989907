import { z } from "zod";
import { integerWidth, integerWidths, quantization } from "./shared-settings.ts";

/** One bit-width for all weights and one for all activations, with exceptions; ranges learn with the weights. */
export const fixed = z.strictObject({
  name: z.literal("fixed").describe("bit-widths are given; ranges are learned"),
  weights: integerWidth.default(8).describe("bits of weights"),
  activations: integerWidth.default(8).describe("bits of activations"),
  firstLayer: integerWidth.optional().describe("bits of the first layer's weight, where they differ"),
  lastLayer: integerWidth
    .optional()
    .describe("bits of the last layer's weight and of the activation it reads, where they differ"),
  layers: z
    .enum(["all", "embeddings"])
    .optional()
    .describe("embeddings: tables of embeddings alone are quantized, to the bits of weights; all, if left out"),
  tensors: z
    .record(z.string(), integerWidths)
    .default({})
    .describe(
      "bits by quantizer, as {conv1.weight.quantizer: 4}, or of a weight's output channels, as [4, 2, 0, 8]; they outrank all others",
    ),
  ...quantization,
});
