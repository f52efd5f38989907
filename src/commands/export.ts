import { basename } from "node:path";
import { configHash } from "../config/canonical.ts";
import { configSchema, type RunConfig } from "../config/schema.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { exportFile } from "../export/export-file.ts";
import { type FreezeInput, freeze } from "../export/freeze.ts";
import { writeReport } from "../report/run/write-report.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { acquireLock } from "../runs/lock.ts";
import type { ExportRecord, RunRecord } from "../runs/record.ts";
import { readRecord, writeRecord } from "../runs/record-file.ts";
import { modelOfForm, runFiles } from "../runs/run-directory.ts";
import { parameterValues, restoreSnapshot } from "../training/snapshot.ts";
import type { Context } from "./context.ts";
import { type Prepared, prepare, requireSameNetwork } from "./prepare.ts";
import { printExport, printResult } from "./result.ts";

interface ExportRunOptions extends Partial<RunConfig["export"]> {
  readonly file: string;
  readonly bits: string;
  readonly reporter: Reporter;
}

/** Freezes what a run has learned, writes the ONNX file and verifies it over the test set. */
export async function exportRun(
  { config, dataset, plain, model, trainer, engine }: Prepared,
  record: RunRecord,
  { file, bits, reporter, form = config.export.form, input = config.export.input }: ExportRunOptions,
): Promise<ExportRecord> {
  const { result } = record;
  const learned: FreezeInput = {
    network: model.network,
    quantizers: model.quantizers,
    parameters: new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues(trainer, id)])),
    statistics: model.statistics,
    classes: dataset.classes,
    normalization: dataset.normalization,
  };
  const exported = await exportFile({
    form,
    input,
    network: freeze(learned),
    unpruned: freeze({ ...learned, network: plain, quantizers: new Map() }),
    file,
    bits,
    metadata: { configHash: configHash(config), relativeBops: String(result!.relativeBops), run: record.name },
    test: { ...dataset.test, imageShape: dataset.imageShape },
    ops: engine.ops,
    threads: config.engine.threads,
    trainerTop1: result!.top1,
    reporter,
  });
  // By its name: the record stays true when the run's folder moves.
  return { ...exported, file: basename(file) };
}

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
