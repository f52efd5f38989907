import { z } from "zod";
import { positive } from "./numbers.ts";

const classification = z.strictObject({
  name: z.literal("classification").describe("the task: one class for each image, by cross-entropy"),
});

const regression = z.strictObject({
  name: z.literal("regression").describe("the task: numbers for each image"),
  loss: z
    .discriminatedUnion("name", [
      z.strictObject({ name: z.literal("squared").describe("the loss: the squared error") }),
      z.strictObject({ name: z.literal("absolute").describe("the loss: the absolute error") }),
      z.strictObject({
        name: z.literal("huber").describe("the loss: squared near zero, absolute beyond delta"),
        delta: positive.default(1).describe("the error from which on it is absolute"),
      }),
    ])
    .optional()
    .describe("what is lowered; without it, the squared error"),
});

const multiLabel = z.strictObject({
  name: z.literal("multi-label").describe("the task: any number of labels for each image, by binary cross-entropy"),
});

const reconstruction = z.strictObject({
  name: z
    .literal("reconstruction")
    .describe("the task: the image itself, by squared error; labels say at most what is an anomaly"),
  anomalies: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("names of classes that are left out of training, and that the error is to tell from the others"),
});

const segmentation = z.strictObject({
  name: z.literal("segmentation").describe("the task: a class for each pixel, by cross-entropy"),
});

const tasks = z.discriminatedUnion("name", [classification, regression, multiLabel, reconstruction, segmentation]);

/** What a configuration's task may be. */
export type TaskConfig = z.infer<typeof tasks>;
/** What a regression lowers. */
export type RegressionLoss = NonNullable<Extract<TaskConfig, { name: "regression" }>["loss"]>;
export type TaskName = TaskConfig["name"];

/** The name of a task. */
export const taskName = z.enum(tasks.options.map(({ shape }) => shape.name.value));

/**
 * Classification, which a configuration without a task means, leaves no trace: configurations from before there were
 * tasks keep their hash.
 */
export const task = tasks
  .transform((task) => (task.name === "classification" ? undefined : task))
  .optional()
  .describe("what the network learns; without it, classification");
