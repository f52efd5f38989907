import { configSchema, type RunConfig } from "../config/schema.ts";
import { UserError } from "../core/errors.ts";
import { writeReport } from "../report/run/write-report.ts";
import { exportRun } from "../runner/export-run.ts";
import { prepare, requireSameNetwork } from "../runner/prepare.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { acquireLock } from "../runs/lock.ts";
import { readRecord, writeRecord } from "../runs/record-file.ts";
import { modelOfForm, runFiles } from "../runs/run-directory.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import type { Context } from "./context.ts";
import { printExport, printResult } from "./result.ts";

export interface ExportCommandOptions extends Partial<RunConfig["export"]> {
  readonly run: string;
  readonly out?: string;
}

/** `export`: an ONNX file of a finished run, from its checkpoint and record. */
export async function runExport(options: ExportCommandOptions, context: Context): Promise<void> {
  const lock = acquireLock(options.run, { force: false });
  try {
    await exportLocked(options, context);
  } finally {
    lock.release();
  }
}

async function exportLocked({ run, out, form, input }: ExportCommandOptions, context: Context): Promise<void> {
  const { reporter } = context;
  const record = readRecord(run);
  if (record.result === null)
    throw new UserError(`cannot export ${run}: its run is ${record.status}; finish it with train --resume`);
  const checkpoint = readLastCheckpoint(run, reporter);
  const prepared = await prepare(configSchema.parse(record.config), context);
  requireSameNetwork(prepared, record);
  restoreSnapshot(prepared, checkpoint.tensors, checkpoint.progress);
  const { model, bits } = runFiles(run);
  const isOwn = form === undefined || form === prepared.config.export.form;
  const file = out ?? (isOwn ? model : modelOfForm(run, form));
  const chosen = { ...(form && { form }), ...(input && { input }) };
  const exported = { ...record, export: await exportRun(prepared, record, { file, bits, reporter, ...chosen }) };
  await prepared.dataset.close();
  writeRecord(run, exported);
  writeReport(exported, runFiles(run).report);
  if (!context.json) printExport(exported.export, context);
  printResult(run, exported, context);
}
