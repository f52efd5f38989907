import { configSchema } from "../config/schema.ts";
import type { Reporter } from "../core/progress.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { evaluate } from "../training/evaluate.ts";
import { testTimeGates } from "../training/pass.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import { prepare, requireSameNetwork } from "./prepare.ts";

/** What a run's last checkpoint comes to on the test set, and its record. */
export interface EvaluatedRun {
  readonly record: RunRecord;
  readonly top1: number;
}

/**
 * Evaluates the last checkpoint of a run directory on the test set.
 *
 * @throws UserError when the folder holds no run, or its network or data are no longer those it was begun with.
 */
export async function evaluateRun(folder: string, context: { readonly reporter: Reporter }): Promise<EvaluatedRun> {
  const record = readRecord(folder);
  const checkpoint = readLastCheckpoint(folder, context.reporter);
  const prepared = await prepare(configSchema.parse(record.config), context);
  const { model, dataset, config } = prepared;
  try {
    requireSameNetwork(prepared, record);
    restoreSnapshot(prepared, checkpoint.tensors, checkpoint.progress);
    const { top1 } = await evaluate(model, dataset.test, {
      samples: testTimeGates(model),
      normalization: dataset.normalization,
      batchSize: config.data.evaluationBatchSize,
    });
    return { record, top1 };
  } finally {
    await dataset.close();
  }
}
