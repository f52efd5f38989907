import { basename } from "node:path";
import { configHash } from "../config/canonical.ts";
import { configSchema, type RunConfig } from "../config/schema.ts";
import { UserError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { exportFile } from "../export/export-file.ts";
import { type FreezeInput, freeze } from "../export/freeze.ts";
import { writeReport } from "../report/run/write-report.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import type { ExportRecord, RunRecord } from "../runs/record.ts";
import { readRecord, writeRecord } from "../runs/record-file.ts";
import { modelOfForm, runFiles } from "../runs/run-directory.ts";
import { pausingSplit } from "../training/pausing-split.ts";
import { parameterValues, restoreSnapshot } from "../training/snapshot.ts";
import { type Prepared, prepare, requireSameNetwork } from "./prepare.ts";

interface ExportPreparedOptions extends Partial<RunConfig["export"]> {
  readonly file: string;
  readonly bits: string;
  readonly reporter: Reporter;
  /** Between two batches of the verification: throws to end there. */
  pause(): Promise<void>;
}

/** Freezes what a run has learned, writes the ONNX file and verifies it over the test set. */
export async function exportPrepared(
  { config, dataset, plain, model, trainer, engine }: Prepared,
  record: RunRecord,
  { file, bits, reporter, pause, form = config.export.form, input = config.export.input }: ExportPreparedOptions,
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
    test: { ...pausingSplit(dataset.test, pause), imageShape: dataset.imageShape },
    ops: engine.ops,
    threads: config.engine.threads,
    latency: config.export.latency,
    trainerTop1: result!.top1,
    reporter,
  });
  // By its name: the record stays true when the run's folder moves.
  return { ...exported, file: basename(file) };
}

export interface ExportRunOptions extends Partial<RunConfig["export"]> {
  /** The file; without it, model.onnx in the run's folder, or model.<form>.onnx for a form that is not the run's own. */
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

async function exportLocked(
  folder: string,
  { file, form, input, reporter = silent }: ExportRunOptions,
): Promise<RunRecord> {
  const record = readRecord(folder);
  if (record.result === null)
    throw new UserError(`cannot export ${folder}: its run is ${record.status}; finish it with train --resume`);
  const checkpoint = readLastCheckpoint(folder, reporter);
  await using prepared = await prepare(configSchema.parse(record.config), reporter);
  requireSameNetwork(prepared, record);
  restoreSnapshot(prepared, checkpoint.tensors, checkpoint.progress);
  const { model, bits, report } = runFiles(folder);
  const isOwn = form === undefined || form === prepared.config.export.form;
  const written = await exportPrepared(prepared, record, {
    file: file ?? (isOwn ? model : modelOfForm(folder, form)),
    bits,
    reporter,
    pause: async () => {},
    ...(form && { form }),
    ...(input && { input }),
  });
  const exported = { ...record, export: written };
  writeRecord(folder, exported);
  writeReport(exported, report);
  return exported;
}
