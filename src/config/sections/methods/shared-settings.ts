import { z } from "zod";

/** What all methods that quantize have. */
export const quantization = {
  batchNorm: z
    .enum(["every-position", "every-second-position"])
    .default("every-position")
    .describe(
      "where training takes batch statistics from: all of a second convolution with the unquantized weight, as the authors do, or every second row and column of it, where a batch has 1024 positions or more, for a quarter of its cost",
    ),
  weightRanges: z
    .enum(["per-tensor", "per-channel"])
    .default("per-tensor")
    .describe("whether a weight has one learned range, or one for each output channel"),
  quantizeAddends: z
    .boolean()
    .default(false)
    .describe("whether what is added up in a residual sum is quantized first, as in the authors' first version"),
};

const widths = [2, 4, 8, 16, 32] as const;

/** A bit-width. */
export const bitWidth = z.literal(widths);

/** A bit-width whose values are integers. */
export const integerWidth = z.literal([2, 4, 8, 16]);

/** What a run must come to. */
export const target = z
  .union([
    z.strictObject({
      relativeBops: z.number().positive().max(100).describe("percent of the 32-bit network's bit operations"),
    }),
    z.strictObject({ sizeBytes: z.int().positive().describe("bytes of the packed weights and float32 biases") }),
  ])
  .describe("the budget");
