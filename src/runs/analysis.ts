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
  codes: z
    .array(count)
    .nullable()
    .describe(
      "weights on each grid point, lowest code first; null above 4 bits, and where channels have widths of their own",
    ),
});

const channelGates = z.object({
  quantizer: z.string(),
  probabilities: z.array(probability).describe("probability that each channel's pruning gate is open"),
  kept: z.array(count).describe("channels whose gate is open at test time"),
});

const choice = z.object({
  bits: z.literal([2, 4, 8, 16, 32]),
  metrics: z.record(z.string(), finite),
  taskLoss: finite,
  error: z
    .number()
    .nonnegative()
    .nullable()
    .describe(
      "standard error of the main metric's difference to the network as it is, image by image; null where the metric is no share of the images",
    ),
  relativeBops: finite.describe("percent of the 32-bit network's bit operations"),
  bytes: count.describe("packed weights and float32 biases"),
});

const sensitivity = z.object({
  from: z.enum(["validation", "train"]).describe("images held out of training, or a few that were trained on"),
  images: count,
  metrics: z.record(z.string(), finite).describe("of these images, with all tensors as they are"),
  taskLoss: finite,
  tensors: listOf(
    z.object({
      quantizer: z.string(),
      signalToNoise: finite
        .nullable()
        .describe(
          "decibels: float values against what quantizing takes away; null where that is nothing, or where the float values are gone",
        ),
      choices: listOf(choice).describe("with this tensor alone at another width, ranges as they are"),
    }),
  ),
});

const codes = z.object({
  name: z.string().describe("the embedding's"),
  changed: count.describe("codes that are others by statistics of all training texts than by the running ones"),
  entropy: z.array(finite).describe("bits that a code of each group carries, over the vocabulary"),
  unused: z.array(count).describe("codewords of each group that no token has"),
  distinct: count.describe("tokens that differ in a code: all others share theirs with one of them"),
  neighbours: listOf(
    z.object({
      word: z.string(),
      before: z.array(z.string()).describe("the most like it by what its codes were chosen from, the likest first"),
      after: z.array(z.string()).describe("the same by what its codes stand for"),
    }),
  ),
});

/** What only the trained network can tell: made when a run ends, with test-time gates. */
export const analysisSchema = z.object({
  weights: listOf(weightHistogram),
  channels: listOf(channelGates),
  codes: listOf(codes).optional().describe("of embeddings by codes; absent where there are none"),
  sensitivity: sensitivity.optional().describe("how much each tensor's bits matter; absent where it was not measured"),
});

export type Analysis = z.infer<typeof analysisSchema>;
export type CodeAnalysis = z.infer<typeof codes>;
export type Sensitivity = z.infer<typeof sensitivity>;
export type WeightHistogram = Analysis["weights"][number];
export type ChannelGates = Analysis["channels"][number];
