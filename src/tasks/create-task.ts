import type { TaskConfig, TaskName } from "../config/sections/task-settings.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import { classification } from "./classification/classification.ts";
import type { Task } from "./task.ts";

interface TaskDefinition {
  /** What it learns from. */
  readonly targets: TargetKind;
  create(targets: TargetDescription): Task;
}

const tasks: { readonly [Name in TaskName]: TaskDefinition } = { classification };

const nameOf = (config: TaskConfig | undefined): TaskName => config?.name ?? "classification";

/** What a data set must say of each image for a configuration's task. */
export const targetKindOf = (config: TaskConfig | undefined): TargetKind => tasks[nameOf(config)].targets;

/** A configuration's task on a data set with these targets. */
export const createTask = (config: TaskConfig | undefined, targets: TargetDescription): Task =>
  tasks[nameOf(config)].create(targets);
