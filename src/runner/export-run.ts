import type { RunConfig } from "../config/schema.ts";
import { UserError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { writeReport } from "../report/run/write-report.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { runFiles } from "../runs/run-directory.ts";
import { writeFinishedRecord } from "../runs/run-manifest.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import { exportPrepared } from "./export-prepared.ts";
import { prepare, requireSameFiles } from "./prepare.ts";

export interface ExportRunOptions extends Partial<RunConfig["export"]> {
  /** The file; without it, model.onnx in the run's folder, or model.<form>.onnx for a form that is not the run's own; tflite and h where the form is no ONNX. */
  readonly file?: string;
  readonly reporter?: Reporter;
}

/**
 * Writes an ONNX file of a finished run from its checkpoint, verifies it over the test set, and puts what that found
 * into the run's record and report.
 *
 * @param folder The run's.
 * @returns The record with the new export.
 * @throws UserError when there is no finished run, another process writes to it, its network or data have changed, or
 * the file disagrees with the trainer.
 */
export function exportRun(folder: string, options: ExportRunOptions = {}): Promise<RunRecord> {
  return whileLocked(acquireLock(folder, { force: false }), () => exportLocked(folder, options));
}

async function exportLocked(folder: string, { reporter = silent, ...chosen }: ExportRunOptions): Promise<RunRecord> {
  const record = readRecord(folder);
  if (record.result === null)
    throw new UserError(`cannot export ${folder}: its run is ${record.status}; finish it with train --resume`);
  const checkpoint = readLastCheckpoint(folder, reporter);
  await using prepared = await prepare(record.config, reporter);
  requireSameFiles(prepared, record);
  restoreSnapshot(prepared, checkpoint.tensors, checkpoint.progress);
  const written = await exportPrepared(prepared, record, {
    folder,
    reporter,
    pause: async () => {},
    ...chosen,
  });
  const exported = { ...record, export: written };
  writeFinishedRecord(folder, exported);
  writeReport(exported, runFiles(folder).report);
  return exported;
}
