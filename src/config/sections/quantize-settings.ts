import { z } from "zod";
import { imageData } from "./data-settings.ts";
import { quantizedLayouts, saturations } from "./export-settings.ts";
import { fileMethods } from "./methods/layerwise-settings.ts";
import { productQuantization } from "./methods/product-quantization-settings.ts";
import { granularity } from "./methods/shared-settings.ts";
import { count, positive } from "./numbers.ts";

/** What has a step. */
export const granularityNames = ["tensor", "channel", "block:32", "block:64", "block:128"] as const;
export type GranularityName = (typeof granularityNames)[number];

const path = z.string().min(1);

export const networkFile = z
  .strictObject({
    file: path.describe("the ONNX file; a relative path is seen from the folder that the program is started in"),
  })
  .describe("what is quantized");

const samples = z.strictObject({
  samples: path.describe(
    "a .npz file with an array for each input, the samples along its first axis, and, if wanted, integers named labels; or a .npy file for the only input",
  ),
});

export const quantizeData = z
  .union([samples, imageData])
  .describe("what the file is calibrated and compared on: samples for any inputs, or images as every run has them");

export const imageInput = z
  .strictObject({
    layout: z
      .enum(["nchw", "nhwc"])
      .optional()
      .describe("channels before or behind height and width; without it as the file's sizes say"),
    range: z
      .enum(["unit", "bytes"])
      .optional()
      .describe(
        "unit: pixels from 0 to 1, normalized as the data says; bytes: from 0 to 255, as they are; without it unit for an input of floats, bytes for one of uint8",
      ),
  })
  .prefault({})
  .describe("how images go into the file, where the data is images");
export type ImageInputSettings = z.output<typeof imageInput>;

export const calibration = z
  .strictObject({
    samples: count
      .optional()
      .describe(
        "training images, chosen by the seed; 512 if left out. Of a file with samples: so many of those that are not kept for the comparison; all if left out",
      ),
  })
  .prefault({})
  .describe("what activations and layers are calibrated on");

export const quantizeMethod = z
  .strictObject({
    name: z
      .enum(fileMethods)
      .optional()
      .describe("how weights are rounded; if left out bit-split below 8 bits with data, else nearest"),
    iterations: count.optional().describe("of adaround: optimizer steps for each layer; 10000 if left out"),
    codebooks: productQuantization
      .pick({
        ...{ blockSize: true, centroids: true, activations: true, biasCorrection: true },
        ...{ iterations: true, projection: true, firstLayer: true },
      })
      .optional()
      .describe("of product-quantization: the codebooks of layers"),
    granularity: z
      .enum(granularityNames)
      .default("channel")
      .describe("what has a step: the whole weight, an output channel, or so many inputs of one in Gemm and MatMul"),
  })
  .prefault({})
  .describe("what finds the codes of weights");

const budget = z
  .union([
    z.strictObject({ relativeBytes: positive.describe("percent of the weights' bytes in float32, codes alone") }),
    z.strictObject({ bytes: z.int().positive().describe("of the whole file") }),
    z.strictObject({ averageBits: positive.describe("bits of a weight on average") }),
    z.strictObject({
      relativeBops: positive.describe(
        "percent of the bit operations at 32 bits everywhere; activations get 8, 16 or 32 bits too; it needs data",
      ),
    }),
  ])
  .describe("what widths may come to: each weight gets 2, 4 or 8 bits, by what that does to the outputs");
/**
 * What widths may come to: percent of the weights' bytes in float32, the whole file's bytes, bits of a weight's number on
 * average, or percent of the bit operations at 32 bits everywhere.
 */
export type WidthBudget = z.output<typeof budget>;

const weightWidth = z.literal([2, 3, 4, 8]);
const activationWidth = z.literal([8, 16, 32, "budget"]);
/** Bits of an activation; 32: it stays in float. */
export type ActivationBits = Exclude<z.output<typeof activationWidth>, "budget">;

const ofAll = {
  activations: activationWidth
    .optional()
    .describe(
      "of activations; 32 leaves them in float; budget: chosen by budget.relativeBops, the default there; else if left out 8 with data, 32 without",
    ),
  layers: z
    .record(z.string(), z.union([weightWidth, z.array(weightWidth).min(1).describe("of each output channel")]))
    .default({})
    .describe("of single layers by patterns of their names, as {/head/*: 8}; the first that fits counts"),
};

export const quantizeBits = z
  .union([
    z.strictObject({ weights: weightWidth.default(8).describe("of weights"), ...ofAll }),
    z.strictObject({
      budget,
      granularity: granularity.describe(
        "what of a weight gets a bit-width: the tensor, each output channel, or groups of neighbouring ones",
      ),
      measured: path
        .optional()
        .describe("folder of a quantized file that had a budget, whose measurements are taken instead of new ones"),
      ...ofAll,
    }),
  ])
  .prefault({})
  .describe("the bit-widths, given or chosen within a budget");

export const skip = z
  .array(z.string().min(1))
  .default([])
  .describe("patterns of names of layers that are left alone, as /head/*; * stands for anything");

export const verify = z
  .strictObject({
    minSqnrDb: z.number().optional().describe("signal-to-noise ratio that every output is to have"),
    minAgreement: z
      .number()
      .min(0)
      .max(100)
      .optional()
      .describe("percent of samples that are to keep their class, where an output looks like logits"),
  })
  .prefault({})
  .describe("thresholds below which the file is refused; without one it is said, and written");

export const quantizeExport = z
  .strictObject({
    layout: z
      .enum(quantizedLayouts)
      .default("plain")
      .describe("names of files: model.onnx, or those that the loaders of transformers.js look for"),
    saturation: z
      .enum(saturations)
      .optional()
      .describe(
        "avoid (if left out, on a machine that saturates): exact on x86 processors without VNNI too, and slower; allow: weights of 8 bits in integer kernels are int8",
      ),
  })
  .prefault({})
  .describe("the written file");
