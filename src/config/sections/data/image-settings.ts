import { z } from "zod";
import { count, positive } from "../numbers.ts";

const share = z.number().min(0).max(0.5);

const normalization = z
  .union([
    z.literal("measured"),
    z.strictObject({
      mean: z.array(z.number().min(0).max(1)).min(1).describe("one per channel, pixels counted from 0 to 1"),
      deviation: z.array(positive).min(1).describe("one per channel"),
    }),
  ])
  .optional()
  .describe("pixels are scaled to [0, 1], less the mean, over the deviation; without it, what is usual for the data");

/** How training images are changed. */
export const changes = {
  crop: z
    .strictObject({ padding: z.int().min(1).max(128).describe("black pixels added on every side") })
    .optional()
    .describe("pad, then cut the image's own size out at a random place"),
  flip: z.boolean().default(false).describe("swap left and right in half of the cases"),
};

export const describeAugmentation = "how training images are changed, in every epoch anew";

/** What every data set's settings have. */
export const batches = {
  validationShare: share.default(0).describe("share of the training images that is held out for choosing"),
  batchSize: count.default(128).describe("images per training step"),
  evaluationBatchSize: count.default(1000).describe("images per step of evaluation"),
  limit: z
    .strictObject({
      train: count.optional().describe("use only the first training images"),
      test: count.optional().describe("use only the first test images"),
    })
    .optional()
    .describe("a part of the data, for trying things out"),
};

/** What those of images have. */
export const imageSettings = {
  normalization,
  augmentation: z.strictObject(changes).optional().describe(describeAugmentation),
  ...batches,
};

/** Of a data set's name. */
export const dataName = <const T extends string>(value: T) => z.literal(value).describe("the data set");
/** Of a folder's. */
export const folderPath = z.string().min(1);
