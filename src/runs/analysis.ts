import { z } from "zod";
import { listOf } from "../core/list-schema.ts";

const finite = z.number();
const count = z.int().nonnegative();
const probability = z.number().min(0).max(1);

const weightHistogram = z.object({
  quantizer: z.string(),
  limit: finite.describe("the bins reach from -limit to limit"),
  bins: z.array(count).describe("weights of the kept channels, before quantization, in bins of equal width"),
  beyond: z.tuple([count, count]).describe("weights below the first and above the last bin"),
  clipped: count.describe("weights outside the learned range"),
  ranges: z
    .tuple([finite, finite])
    .optional()
    .describe(
      "where output channels have ranges of their own, the narrowest and the widest of the kept ones: every weight was multiplied by the widest over its channel's before it was counted",
    ),
  codes: z.array(count).nullable().describe("weights on each grid point, lowest code first; null above 4 bits"),
});

const channelGates = z.object({
  quantizer: z.string(),
  probabilities: z.array(probability).describe("probability that each channel's pruning gate is open"),
  kept: z.array(count).describe("channels whose gate is open at test time"),
});

/** What only the trained network can tell: made when a run ends, with test-time gates, on the test set. */
export const analysisSchema = z.object({
  weights: listOf(weightHistogram),
  channels: listOf(channelGates),
});

export type Analysis = z.infer<typeof analysisSchema>;
export type WeightHistogram = Analysis["weights"][number];
export type ChannelGates = Analysis["channels"][number];
