import type { RunConfig } from "../config/schema.ts";
import { type ExportForm, exportForms, inputProblem } from "../config/sections/export-settings.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { allForms } from "../export/export-forms.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { withExport } from "../runs/exports.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import type { ExportRecord, RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { writeFinishedRecord } from "../runs/run-manifest.ts";
import { exportPrepared } from "./export-prepared.ts";
import { prepare } from "./prepare.ts";
import { requireSameFiles } from "./require-same-files.ts";
import { restorePrepared } from "./restore-prepared.ts";
import { writeRunReport } from "./run-report.ts";

export interface ExportRunOptions extends Partial<Omit<RunConfig["export"], "form">> {
  /** The run's own if left out; all: every form whose runtime is here, or with `unverified` every form, each to its file. */
  readonly form?: ExportForm | "all";
  /** The file; without it, model.onnx in the run's folder, or model.<form>.onnx for a form that is not the run's own; tflite and h where the form is no ONNX. */
  readonly file?: string;
  readonly reporter?: Reporter;
}

export interface ExportedRun {
  /** The run's, with what was written. */
  readonly record: RunRecord;
  readonly written: readonly ExportRecord[];
}

/**
 * Writes the network of a finished run from its checkpoint as a file, or one of every form, verifies it over the test
 * set, and puts what that found into the run's record and report.
 *
 * @param folder The run's.
 * @throws UsageError when one file is named for all forms, or a form does not take such images.
 * @throws UserError when there is no finished run, another process writes to it, its network or data have changed, or
 * the file disagrees with the trainer.
 */
export function exportRun(folder: string, options: ExportRunOptions = {}): Promise<ExportedRun> {
  return whileLocked(acquireLock(folder, { force: false }), () => exportLocked(folder, options));
}

async function exportLocked(
  folder: string,
  { form: wanted, reporter = silent, ...chosen }: ExportRunOptions,
): Promise<ExportedRun> {
  if (wanted === "all" && chosen.file !== undefined)
    throw new UsageError(
      `cannot export every form to ${chosen.file}: leave --out away, and each gets a name of its own`,
    );
  let record = readRecord(folder);
  if (record.result === null)
    throw new UserError(`cannot export ${folder}: its run is ${record.status}; finish it with train --resume`);
  const { form: own, input, unverified } = { ...record.config.export, ...chosen };
  for (const form of wanted === "all" ? exportForms : [wanted ?? own]) {
    const problem = inputProblem(form, input);
    if (problem !== null) throw new UsageError(`cannot export ${folder}: ${problem}; choose another with --input`);
  }
  const checkpoint = readLastCheckpoint(folder, reporter);
  await using prepared = await prepare(record.config, reporter, record);
  requireSameFiles(prepared, folder, checkpoint);
  restorePrepared(prepared, checkpoint);
  const codebooks = prepared.method.clustering !== undefined;
  const forms = wanted === "all" ? allForms(own, { unverified, codebooks, reporter }) : [wanted ?? own];
  const written: ExportRecord[] = [];
  for (const form of forms) {
    const pause = async () => {};
    const exported = await exportPrepared(prepared, record, { ...chosen, form, folder, reporter, pause });
    written.push(exported);
    record = withExport(record, exported);
    writeFinishedRecord(folder, record);
  }
  writeRunReport(folder, record, reporter.warn);
  return { record, written };
}
