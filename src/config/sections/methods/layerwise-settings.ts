import { z } from "zod";
import { count, positive } from "../numbers.ts";
import { lookedAt } from "./shared-settings.ts";

/** Bit-widths that post-training methods give weights and activations. */
const weightWidth = z.literal([2, 3, 4, 8]);
const activationWidth = z.literal([4, 8, 16, 32]);

const bits = z
  .union([
    z.strictObject({
      weights: weightWidth.default(4).describe("of weights; codes of 3 bits are stored in 4"),
      activations: activationWidth.default(8).describe("of what layers read; 32 leaves it in float32"),
      firstLayer: weightWidth.optional().describe("of the first layer's weight, where it differs"),
      lastLayer: z
        .literal([4, 8])
        .optional()
        .describe("of the last layer's weight and of the activation that it reads, where they differ"),
      tensors: z
        .record(z.string(), z.union([weightWidth, activationWidth]))
        .default({})
        .describe("by quantizer, as {conv1.weight.quantizer: 8}; they outrank all others"),
    }),
    z.strictObject({
      from: z
        .string()
        .min(1)
        .describe("folder of a run of the same network whose bit-widths are taken; its pruned channels are not pruned"),
    }),
  ])
  .prefault({})
  .describe("the bit-widths");

const inputs = z.enum(["float", "quantized-weights", "quantized"]);

const calibration = (inputsOf: z.output<typeof inputs>) =>
  z
    .strictObject({
      ...lookedAt,
      inputs: inputs
        .default(inputsOf)
        .describe(
          "what a layer sees: the float32 network's activations, or those of the layers before it with their weights quantized, or with their activations quantized too; targets are the float32 network's outputs in any case",
        ),
    })
    .prefault({})
    .describe("the images from which steps, ranges and codes are found");

const common = (inputsOf: z.output<typeof inputs>) => ({
  bits,
  calibration: calibration(inputsOf),
  ranges: z
    .enum(["max", "mse"])
    .default("mse")
    .describe("of activations: up to the largest value, or with the least mean squared error"),
  biasCorrection: z
    .boolean()
    .default(false)
    .describe("whether each bias takes what the quantized layer's mean output is off by on the calibration images"),
  quantizeAddends: z.boolean().default(false).describe("whether what is added up in a residual sum is quantized first"),
});

const grids = {
  steps: z
    .enum(["max", "mse", "sqnr"])
    .default("mse")
    .describe(
      "of weights: the outermost code is the largest weight, or the least error of nearest rounding by BRECQ's search or by AIMET's",
    ),
  perChannel: z.boolean().default(true).describe("a step for each output channel, or one for the whole weight"),
};

/** The baseline of the post-training methods. */
export const nearest = z.strictObject({
  name: z.literal("nearest").describe("a trained network's weights are rounded to the nearest code"),
  ...grids,
  ...common("quantized"),
});

/** Nagel et al., ICML 2020. */
export const adaround = z.strictObject({
  name: z.literal("adaround").describe("layer by layer it is learned which weights are rounded down and which up"),
  ...grids,
  ...common("quantized-weights"),
  iterations: count.default(10000).describe("optimizer steps for each layer"),
  batchSize: count.default(32).describe("calibration images of each step"),
  learningRate: positive.default(1e-3).describe("of Adam"),
  regularization: z.number().min(0).default(0.01).describe("strength of what pulls every choice to down or up"),
  beta: z
    .strictObject({
      shape: z.enum(["linear", "cosine"]).default("linear").describe("linear as BRECQ's, cosine as AIMET's"),
      start: positive.default(20).describe("at first only clear choices are pulled"),
      end: positive.default(2).describe("in the end all are"),
      warmUp: z.number().min(0).lt(1).default(0.2).describe("share of the steps before anything is pulled"),
    })
    .prefault({})
    .describe("the exponent of that pull"),
  safeguard: z
    .boolean()
    .default(true)
    .describe("whether a channel keeps nearest rounding where what was learned is worse on the calibration images"),
  flips: z
    .boolean()
    .default(false)
    .describe("whether single weights are then flipped as long as that lowers the error; not the authors'"),
});

/** Wang et al., ICML 2020. */
export const bitSplit = z.strictObject({
  name: z
    .literal("bit-split")
    .describe("layer by layer each weight's digits and each channel's step are fitted to the layer's output"),
  ...common("quantized"),
  epochs: z
    .int()
    .min(0)
    .default(100)
    .describe("most passes over the digits of a channel; 0 fits the weights alone (the authors' first stage)"),
  unitChanges: z
    .boolean()
    .default(false)
    .describe("whether single codes are then changed by 1 as long as that lowers the error; not the authors'"),
});

/** Names of the methods that quantize a trained network without training. */
export const layerwiseMethods = ["nearest", "adaround", "bit-split"] as const;
export type LayerwiseMethod = (typeof layerwiseMethods)[number];

/** Those that quantize any file: weights on grids, or codes into codebooks. */
export const fileMethods = [...layerwiseMethods, "product-quantization"] as const;
export type FileMethod = (typeof fileMethods)[number];
