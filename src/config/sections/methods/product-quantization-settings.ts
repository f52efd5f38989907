import { z } from "zod";
import { count, positive } from "../numbers.ts";
import { lookedAt } from "./shared-settings.ts";

const kinds = (what: (layers: string) => string, [conv, pointwise, dense]: readonly [number, number, number]) =>
  z.strictObject({
    conv: count.default(conv).describe(what("convolutions of more than one place")),
    pointwise: count.default(pointwise).describe(what("convolutions of one place")),
    dense: count.default(dense).describe(what("dense layers")),
  });

const most = z.int().min(1).max(65536);

/** Stock et al., ICLR 2020. */
export const productQuantization = z.strictObject({
  name: z
    .literal("product-quantization")
    .describe(
      "a trained network's weights become codes into codebooks of blocks, which then learn from the float network",
    ),
  blockSize: kinds((layers) => `weights of ${layers} that have one code`, [9, 4, 4])
    .prefault({})
    .describe(
      "neighbouring inputs of an output: 9 is a kernel of 3×3; where it does not divide a layer's inputs, the largest number below that does is taken",
    ),
  centroids: z
    .union([
      most.transform((all) => ({ conv: all, pointwise: all, dense: all })),
      kinds((layers) => `of ${layers}`, [256, 256, 256]),
    ])
    .prefault(256)
    .describe(
      "entries of each codebook, at most: also less than a quarter of the layer's blocks, and no more than differ",
    ),
  activations: z
    .union([z.enum(["blocks", "pooled"]), z.literal(false)])
    .default("blocks")
    .describe(
      "what blocks are compared by: what they do to the inputs of their own piece, or to those of all pieces pooled, as the authors'; false: plain k-means on the weights",
    ),
  iterations: count.default(100).describe("of k-means, at most: it ends where no block changes its cluster"),
  projection: z
    .boolean()
    .default(false)
    .describe("whether centroids are projected on what the inputs see, as the authors' are; else they are means"),
  biasCorrection: z
    .boolean()
    .default(true)
    .describe(
      "whether the mean outputs of a layer on the calibration images are set right, in its normalization or bias, and blocks compared by the rest of them; not the authors'",
    ),
  firstLayer: z.boolean().default(false).describe("whether the first layer has a codebook, too"),
  depthwise: z.boolean().default(false).describe("whether depthwise convolutions have codebooks, too"),
  skip: z.array(z.string().min(1)).default([]).describe("names of layers that stay in float32"),
  calibration: z.strictObject(lookedAt).prefault({}).describe("the images whose activations weigh the blocks"),
  finetune: z
    .strictObject({
      steps: z.int().min(0).default(0).describe("for each layer, each on data.batchSize images; the authors take 2500"),
      learningRate: positive.default(0.05).describe("of SGD"),
      momentum: z.number().min(0).lt(1).default(0.9).describe("of SGD, which does not look ahead"),
      weightDecay: z.number().min(0).default(1e-4).describe("L2 penalty added to the gradient"),
    })
    .prefault({})
    .describe(
      "of a layer's codebook, as soon as it is clustered, to the float network's outputs, without labels; all codebooks then learn for training.epochs, by training.weights",
    ),
});
