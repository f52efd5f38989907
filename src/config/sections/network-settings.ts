import { z } from "zod";
import { count } from "./numbers.ts";

const names = [
  "lenet5",
  "vgg7",
  "resnet20",
  "resnet32",
  "resnet56",
  "resnet18",
  "mobilenetv2",
  "mobilenetv3-small",
  "efficientnet-b0",
  "resnet8",
  "ds-cnn",
  "mobilenetv1-0.25",
  "autoencoder",
  "small-fcn",
] as const;

export const network = z
  .union([
    z.strictObject({ name: z.enum(names).describe("a network of the zoo for images") }),
    z.strictObject({
      name: z
        .literal("text-classifier")
        .describe("the network of the zoo for texts: the mean of their embeddings, and two dense layers"),
      dimension: count.default(300).describe("units of an embedding"),
      rank: count
        .optional()
        .describe(
          "of an embedding table in two factors, [vocabulary, rank] and [rank, dimension]; without it, it is one table",
        ),
      hidden: count.default(300).describe("units of the hidden dense layer"),
    }),
    z.strictObject({
      name: z.literal("unet").describe("the network of the zoo for segmentation, with skips around each halving"),
      width: count.default(16).describe("channels at the size of the image; twice as many with each halving"),
      depth: count.default(3).describe("how often the image is halved"),
      upsampling: z
        .enum(["transposed", "nearest"])
        .default("transposed")
        .describe("transposed convolutions; or the nearest pixels, and a convolution"),
    }),
    z.strictObject({
      name: z.literal("vit-tiny").describe("the vision transformer of the zoo, of 192 units and 3 heads"),
      patch: count.default(16).describe("rows and columns of the squares that an image is cut into"),
      depth: count.default(12).describe("blocks"),
    }),
    z.strictObject({
      name: z.literal("text-encoder").describe("the transformer of the zoo for texts"),
      width: count.default(128).describe("units of an embedding"),
      heads: count.default(2).describe("of each attention; the width is a multiple of them"),
      depth: count.default(2).describe("blocks"),
    }),
    z.strictObject({
      file: z
        .string()
        .min(1)
        .describe(
          "a trained float32 network as an ONNX file; a relative path is seen from the folder that the program is started in",
        ),
      outputs: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe(
          "names of values of the file that the network gives, and what lies behind them is left out; without it, the file's own outputs",
        ),
    }),
  ])
  .describe("the network that is trained: one of the zoo by its name, or one's own from a file");
