import { z } from "zod";
import type { TaskConfig, TaskName } from "../config/sections/task-settings.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import { classificationFindings } from "./classification/class-findings.ts";
import { classification } from "./classification/classification.ts";
import { labelFindings } from "./multi-label/label-findings.ts";
import { multiLabel } from "./multi-label/multi-label.ts";
import { regression } from "./regression/regression.ts";
import { regressionFindings } from "./regression/value-findings.ts";
import type { Task } from "./task.ts";

/** What a task finds of a trained network on the test set, with test-time gates. */
export const findingsSchema = z.discriminatedUnion("task", [classificationFindings, regressionFindings, labelFindings]);

export type Findings = z.infer<typeof findingsSchema>;

type Settings<Name extends TaskName> = { [P in Name]: Extract<TaskConfig, { name: P }> & { name: P } }[Name];

/** A kind of task. */
interface TaskDefinition<Name extends TaskName> {
  /** What it learns from. */
  readonly targets: TargetKind;
  create(targets: TargetDescription, settings: Settings<Name>): Task<Findings>;
}

const tasks: { readonly [Name in TaskName]: TaskDefinition<Name> } = {
  classification,
  regression,
  "multi-label": multiLabel,
};

/** What a data set must say of each image for a configuration's task. */
export const targetKindOf = (config: TaskConfig | undefined): TargetKind =>
  tasks[config?.name ?? "classification"].targets;

/** A configuration's task on a data set with these targets. */
export const createTask = (config: TaskConfig | undefined, targets: TargetDescription): Task<Findings> =>
  create(config ?? { name: "classification" }, targets);

const create = <Name extends TaskName>(settings: Settings<Name>, targets: TargetDescription): Task<Findings> =>
  tasks[settings.name].create(targets, settings);
