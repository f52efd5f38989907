import { z } from "zod";
import { count } from "../numbers.ts";

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
  initialRanges: z
    .enum(["max", "mse"])
    .default("max")
    .describe(
      "first ranges: up to the largest element, of two images where it is an activation's, as the authors do; or those of least squared error at the bits that a tensor begins with, on 64 images",
    ),
  quantizeAddends: z
    .boolean()
    .default(false)
    .describe("whether what is added up in a residual sum is quantized first, as in the authors' first version"),
};

/** What methods that go layer by layer look at. */
export const lookedAt = {
  images: count
    .default(512)
    .describe(
      "training images, chosen by the seed and unchanged, all where there are fewer; their labels are not read",
    ),
  positions: count
    .default(32)
    .describe("places of each image at which a convolution is looked at; a dense layer has one"),
};

/** Which output channels of a weight share their bit-width. */
export const granularity = z
  .union([
    z.enum(["tensor", "channel"]),
    z.strictObject({ group: z.int().min(1).describe("neighbouring output channels that share their bit-width") }),
  ])
  .default("tensor")
  .describe(
    "what learns a bit-width of a weight: the tensor, as in the paper, each output channel, or groups of neighbouring ones; pruning is by channel in any case",
  );

const widths = [2, 4, 8, 16, 32] as const;

/** A bit-width. */
export const bitWidth = z.literal(widths);

/** A bit-width whose values are integers. */
export const integerWidth = z.literal([2, 4, 8, 16]);

/** One bit-width, or those of the output channels of a weight. */
export const integerWidths = z.union([
  integerWidth,
  z
    .array(z.literal([0, 2, 4, 8, 16]))
    .min(1)
    .describe("of each output channel of a weight; 0: the channel is pruned"),
]);

/** What a run must come to. */
export const target = z
  .union([
    z.strictObject({
      relativeBops: z.number().positive().max(100).describe("percent of the 32-bit network's bit operations"),
    }),
    z.strictObject({ sizeBytes: z.int().positive().describe("bytes of the packed weights and float32 biases") }),
  ])
  .describe("the budget");
