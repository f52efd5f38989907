import { z } from "zod";
import { listOf } from "../../core/list-schema.ts";

const count = z.int().nonnegative();
const probability = z.number().min(0).max(1);

const calibration = z.object({
  bins: listOf(
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

const comparedWithFloat = z.object({
  bothRight: count.describe("test images that the float32 network and this one get right"),
  lost: count.describe("that float32 gets right and this one wrong"),
  gained: count.describe("that float32 gets wrong and this one right"),
  bothWrong: count,
  images: listOf(
    worstImage.extend({
      floatConfidence: probability.describe("probability that the float32 network gave the true class"),
    }),
  ).describe("lost ones of the highest confidence, most confident first"),
});

/** What is found of a classifier on the test set. */
export const classificationFindings = z.object({
  task: z.literal("classification"),
  confusion: z.array(z.array(count)).describe("rows: true class; columns: predicted class"),
  calibration: calibration.optional().describe("older records have none"),
  worst: listOf(worstImage)
    .optional()
    .describe("wrong images of the highest confidence, most confident first; older records have none"),
  float: comparedWithFloat
    .optional()
    .describe("held against the float32 network that the run began with or pretrained; absent where there was none"),
});

export type ClassificationFindings = z.infer<typeof classificationFindings>;
export type Calibration = z.infer<typeof calibration>;
export type ComparedWithFloat = z.infer<typeof comparedWithFloat>;
export type WorstImage = z.infer<typeof worstImage>;
