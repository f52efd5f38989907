import { type Reporter, silent } from "../core/progress.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import type { Metrics } from "../tasks/metric.ts";
import { evaluate } from "../training/evaluate.ts";
import { testTimeGates } from "../training/pass.ts";
import { prepare } from "./prepare.ts";
import { requireSameFiles } from "./require-same-files.ts";
import { restorePrepared } from "./restore-prepared.ts";

/** What a run's last checkpoint comes to on the test set. */
export interface EvaluatedRun {
  readonly record: RunRecord;
  /** As its record's task describes them. */
  readonly metrics: Metrics;
}

export interface EvaluateRunOptions {
  readonly reporter?: Reporter;
}

/**
 * Evaluates the last checkpoint of a run on the test set, with test-time gates.
 *
 * @param folder The run's.
 * @throws UserError when the folder holds no run, or its network or data are no longer those it was begun with.
 */
export async function evaluateRun(
  folder: string,
  { reporter = silent }: EvaluateRunOptions = {},
): Promise<EvaluatedRun> {
  const record = readRecord(folder);
  const checkpoint = readLastCheckpoint(folder, reporter);
  await using prepared = await prepare(record.config, reporter, record);
  requireSameFiles(prepared, folder, checkpoint);
  restorePrepared(prepared, checkpoint);
  const { model, dataset, config, task } = prepared;
  const { metrics } = await evaluate(model, dataset.test, {
    task,
    samples: testTimeGates(model),
    normalization: dataset.normalization,
    batchSize: config.data.evaluationBatchSize,
  });
  return { record, metrics };
}
