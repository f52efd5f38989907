import { z } from "zod";

const count = z.int().nonnegative();
const probability = z.number().min(0).max(1);

export const confusionSchema = z.array(z.array(count)).describe("rows: true class; columns: predicted class; test set");

export const calibrationSchema = z.object({
  bins: z.array(
    z.object({
      images: count,
      confidence: probability.describe("mean probability of the predicted class"),
      accuracy: probability.describe("share classified correctly"),
    }),
  ),
  expectedError: probability.describe("mean distance of confidence and accuracy over the bins, weighted by images"),
});

export const worstImageSchema = z.object({
  index: count.describe("in the test set, from 0"),
  truth: count.describe("index of the true class"),
  predicted: count.describe("index of the predicted class"),
  confidence: probability.describe("probability that the network gave the predicted class"),
  truthProbability: probability.describe("probability that it gave the true class"),
  width: count,
  height: count,
  png: z.base64().describe("the image as PNG, large ones scaled down"),
});

export type Calibration = z.infer<typeof calibrationSchema>;
export type WorstImage = z.infer<typeof worstImageSchema>;

/** What is found of a classifier on the test set. */
export interface ClassificationFindings {
  readonly confusion: z.infer<typeof confusionSchema>;
  readonly calibration: Calibration;
  readonly worst: WorstImage[];
}
