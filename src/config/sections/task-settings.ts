import { z } from "zod";

const classification = z.strictObject({
  name: z.literal("classification").describe("the task: one class for each image, by cross-entropy"),
});

/**
 * Classification, which a configuration without a task means, leaves no trace: configurations from before there were
 * tasks keep their hash.
 */
export const task = z
  .discriminatedUnion("name", [classification])
  .transform((task) => (task.name === "classification" ? undefined : task))
  .optional()
  .describe("what the network learns; without it, classification");

/** What a configuration's task may be. */
export type TaskConfig = z.input<typeof task> & object;
export type TaskName = TaskConfig["name"];
