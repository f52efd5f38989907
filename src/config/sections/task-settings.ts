import { z } from "zod";

const classification = z.strictObject({
  name: z.literal("classification").describe("the task: one class for each image, by cross-entropy"),
});

const regression = z.strictObject({
  name: z.literal("regression").describe("the task: numbers for each image, by squared error"),
});

const tasks = z.discriminatedUnion("name", [classification, regression]);

/** What a configuration's task may be. */
export type TaskConfig = z.infer<typeof tasks>;
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
