import { z } from "zod";
import type { TaskConfig, TaskName } from "../config/sections/task-settings.ts";
import type { TargetDescription, TargetKind } from "../data/targets.ts";
import type { OutputKind } from "../network/onnx/import-network.ts";
import { classificationFindings } from "./classification/class-findings.ts";
import { classification } from "./classification/classification.ts";
import { labelFindings } from "./multi-label/label-findings.ts";
import { multiLabel } from "./multi-label/multi-label.ts";
import { reconstruction } from "./reconstruction/reconstruction.ts";
import { reconstructionFindings } from "./reconstruction/reconstruction-findings.ts";
import { regression } from "./regression/regression.ts";
import { regressionFindings } from "./regression/value-findings.ts";
import { segmentation } from "./segmentation/segmentation.ts";
import { segmentationFindings } from "./segmentation/segmentation-findings.ts";
import type { SampleDescription, Task } from "./task.ts";

/** What a task finds of a trained network on the test set, with test-time gates. */
export const findingsSchema = z.discriminatedUnion("task", [
  classificationFindings,
  regressionFindings,
  labelFindings,
  reconstructionFindings,
  segmentationFindings,
]);

export type Findings = z.infer<typeof findingsSchema>;

type Settings<Name extends TaskName> = { [P in Name]: Extract<TaskConfig, { name: P }> & { name: P } }[Name];

/** A kind of task. */
interface TaskDefinition<Name extends TaskName> {
  /** What it learns from; null: the images themselves. */
  readonly targets: TargetKind | null;
  /** What a network is to give for it. */
  readonly outputKind: OutputKind;
  create(targets: TargetDescription, settings: Settings<Name>, samples: SampleDescription | null): Task<Findings>;
}

const tasks: { readonly [Name in TaskName]: TaskDefinition<Name> } = {
  classification,
  regression,
  "multi-label": multiLabel,
  reconstruction,
  segmentation,
};

/** What a data set must say of each image for a configuration's task. */
export const targetKindOf = (config: TaskConfig | undefined): TargetKind | null =>
  tasks[config?.name ?? "classification"].targets;

/** What a network is to give for a configuration's task. */
export const outputKindOf = (config: TaskConfig | undefined): OutputKind =>
  tasks[config?.name ?? "classification"].outputKind;

/** What a task asks of its data: what they say of images, whether they need not, and classes that are not trained on. */
export interface LabelNeeds {
  readonly targets: TargetKind | null;
  readonly unlabelled: boolean;
  readonly without: readonly string[] | undefined;
}

/** What a configuration's task by itself asks of its data. */
export function labelNeedsOf(config: TaskConfig | undefined): LabelNeeds {
  const targets = targetKindOf(config);
  const without = config?.name === "reconstruction" ? config.anomalies : undefined;
  return { targets, unlabelled: targets === null, without };
}

/**
 * A configuration's task on a data set with these targets.
 *
 * @param samples Of the data set; null where the task does not ask for it.
 */
export const createTask = (
  config: TaskConfig | undefined,
  targets: TargetDescription,
  samples: SampleDescription | null = null,
): Task<Findings> => create(config ?? { name: "classification" }, targets, samples);

const create = <Name extends TaskName>(
  settings: Settings<Name>,
  targets: TargetDescription,
  samples: SampleDescription | null,
): Task<Findings> => tasks[settings.name].create(targets, settings, samples);
