import { z } from "zod";
import type { TaskConfig, TaskName } from "../config/sections/task-settings.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import { classificationFindings } from "./classification/class-findings.ts";
import { classification } from "./classification/classification.ts";
import { regression } from "./regression/regression.ts";
import { regressionFindings } from "./regression/value-findings.ts";
import type { Task } from "./task.ts";

/** What a task finds of a trained network on the test set, with test-time gates. */
export const findingsSchema = z.discriminatedUnion("task", [classificationFindings, regressionFindings]);

export type Findings = z.infer<typeof findingsSchema>;

/** A kind of task. */
interface TaskDefinition {
  /** What it learns from. */
  readonly targets: TargetKind;
  create(targets: TargetDescription): Task<Findings>;
}

const tasks: { readonly [Name in TaskName]: TaskDefinition } = { classification, regression };

const nameOf = (config: TaskConfig | undefined): TaskName => config?.name ?? "classification";

/** What a data set must say of each image for a configuration's task. */
export const targetKindOf = (config: TaskConfig | undefined): TargetKind => tasks[nameOf(config)].targets;

/** A configuration's task on a data set with these targets. */
export const createTask = (config: TaskConfig | undefined, targets: TargetDescription): Task<Findings> =>
  tasks[nameOf(config)].create(targets);
