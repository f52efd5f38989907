import { configHash } from "../config/canonical.ts";
import { type Change, changedSettings, describeChange } from "../config/changes.ts";
import { last } from "../core/elements.ts";
import type { Engine } from "../engine/load-engine.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import type { Environment, RunRecord } from "../runs/record.ts";
import type { Prepared } from "./prepare.ts";
import { environmentOf } from "./run-environment.ts";

/**
 * The record of a run that goes on from a checkpoint, and what there is to be said of it: what is another than before.
 *
 * @param changes Settings that have other values than when it began.
 */
export function continueRecord(
  { record, progress: { epoch, step } }: Pick<Checkpoint, "record" | "progress">,
  { config, engine, task }: Pick<Prepared, "config" | "task"> & { readonly engine: Pick<Engine, "info"> },
  changes: readonly Change[],
): { readonly record: RunRecord; readonly warnings: readonly string[] } {
  const measured = measuredFrom(record, task);
  const continued: RunRecord = { ...record, ...measured, status: "running", config, configHash: configHash(config) };
  const warnings = [
    ...(changes.length === 0 ? [] : [`continued with other settings: ${listed(changes)}`]),
    ...(measured === null
      ? []
      : [
          `the loss of ${record.epochs.length} epochs until here is the ${record.task.loss.label}${changes.some(({ path }) => path.startsWith("training.loss")) ? "" : ", which an earlier version of this program measured"}; from here on it is the ${task.description.loss.label}`,
        ]),
  ];
  const { laterEnvironments: later = [] } = record;
  const environment = environmentOf(engine.info);
  const moved = changedSettings(later.length === 0 ? record.environment : environmentIn(last(later)), environment);
  if (moved.length === 0) return { record: continued, warnings };
  return {
    record: { ...continued, laterEnvironments: [...later, { ...environment, epoch, step }] },
    warnings: [
      ...warnings,
      `continued in another environment, which may change the last digits of all that is learned from here on: ${listed(moved)}`,
    ],
  };
}

const environmentIn = ({ epoch: _, step: __, ...environment }: Environment & { epoch: number; step: number }) =>
  environment;

/** What losses are from here on; null: what they were. */
const measuredFrom = ({ task }: RunRecord, { name, description }: Prepared["task"]): Pick<RunRecord, "task"> | null =>
  task.loss.label === description.loss.label ? null : { task: { name, ...description } };

const listed = (changes: readonly Change[]): string => changes.map(describeChange).join("; ");
