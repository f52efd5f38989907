import { z } from "zod";

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

const calibration = z.object({
  bins: z.array(
    z.object({
      images: count,
      confidence: probability.describe("mean probability of the predicted class"),
      accuracy: probability.describe("share classified correctly"),
    }),
  ),
  expectedError: probability.describe("mean distance of confidence and accuracy over the bins, weighted by images"),
});

const worstImage = z.object({
  index: count.describe("in the test set, from 0"),
  truth: count.describe("index of the true class"),
  predicted: count.describe("index of the predicted class"),
  confidence: probability.describe("probability that the network gave the predicted class"),
  truthProbability: probability.describe("probability that it gave the true class"),
  width: count,
  height: count,
  png: z.base64().describe("the image as PNG, large ones scaled down"),
});

/** What only the trained network can tell: made when a run ends, with test-time gates, on the test set. */
export const analysisSchema = z.object({
  weights: z.array(weightHistogram),
  channels: z.array(channelGates),
  calibration,
  worst: z.array(worstImage).describe("wrong images of the highest confidence, most confident first"),
});

export type Analysis = z.infer<typeof analysisSchema>;
export type WeightHistogram = Analysis["weights"][number];
export type ChannelGates = Analysis["channels"][number];
export type Calibration = Analysis["calibration"];
export type WorstImage = Analysis["worst"][number];
