import { z } from "zod";
import { count } from "./numbers.ts";

export const data = z
  .strictObject({
    name: z.enum(["mnist", "cifar10"]).describe("the data set"),
    folder: z
      .string()
      .optional()
      .describe(
        "folder with the data set's files (MNIST: IDX; CIFAR-10: binary form); without it they are fetched once into the cache",
      ),
    validationShare: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe("share of the training images that is held out for choosing"),
    batchSize: count.default(128).describe("images per training step"),
    evaluationBatchSize: count.default(1000).describe("images per step of evaluation"),
    limit: z
      .strictObject({
        train: count.optional().describe("use only the first training images"),
        test: count.optional().describe("use only the first test images"),
      })
      .optional()
      .describe("a part of the data, for trying things out"),
  })
  .describe("where the images come from and how they are batched");
