import { basename } from "node:path";
import { UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import { configHash } from "../config/canonical.ts";
import { configSchema } from "../config/schema.ts";
import { exportPacked } from "../export/export-packed.ts";
import { freeze } from "../export/freeze.ts";
import { writeReport } from "../report/write-report.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { acquireLock } from "../runs/lock.ts";
import type { ExportRecord, RunRecord } from "../runs/record.ts";
import { readRecord, writeRecord } from "../runs/record-file.ts";
import { runFiles } from "../runs/run-directory.ts";
import { parameterValues, restoreSnapshot } from "../training/snapshot.ts";
import type { Context } from "./context.ts";
import { type Prepared, prepare, requireSameNetwork } from "./prepare.ts";
import { printResult } from "./result.ts";

/** Freezes what a run has learned, writes the ONNX file and verifies it over the test set. */
export async function exportRun(
  { config, dataset, model, trainer, engine }: Prepared,
  record: RunRecord,
  { file, reporter }: { file: string; reporter: Reporter },
): Promise<ExportRecord> {
  const { result } = record;
  const network = freeze({
    network: model.network,
    quantizers: model.quantizers,
    parameters: new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues(trainer, id)])),
    classes: dataset.classes,
    normalization: dataset.normalization,
  });
  const exported = await exportPacked({
    network,
    file,
    metadata: { configHash: configHash(config), relativeBops: String(result!.relativeBops), run: record.name },
    test: { ...dataset.test, imageShape: dataset.imageShape },
    ops: engine.ops,
    trainerTop1: result!.top1,
    reporter,
  });
  // By its name: the record stays true when the run's folder moves.
  return { ...exported, file: basename(file) };
}

/** `export`: the ONNX file of a finished run, from its checkpoint and record. */
export async function runExport({ run, out }: { run: string; out?: string }, context: Context): Promise<void> {
  const lock = acquireLock(run, { force: false });
  try {
    await exportLocked(run, out ?? runFiles(run).model, context);
  } finally {
    lock.release();
  }
}

async function exportLocked(run: string, file: string, context: Context): Promise<void> {
  const record = readRecord(run);
  if (record.result === null)
    throw new UserError(`cannot export ${run}: its run is ${record.status}; finish it with train --resume`);
  const checkpoint = readLastCheckpoint(run, context.reporter);
  const prepared = await prepare(configSchema.parse(record.config), context);
  requireSameNetwork(prepared, record);
  restoreSnapshot(prepared, checkpoint.tensors, checkpoint.progress);
  const exported = { ...record, export: await exportRun(prepared, record, { file, reporter: context.reporter }) };
  await prepared.dataset.close();
  writeRecord(run, exported);
  writeReport(exported, runFiles(run).report);
  printResult(run, exported, context);
}
