import { basename, dirname, join } from "node:path";
import { configHash } from "../config/canonical.ts";
import type { RunConfig } from "../config/schema.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import type { Reporter } from "../core/progress.ts";
import { exportFile } from "../export/export-file.ts";
import { type FreezeInput, freeze } from "../export/freeze.ts";
import type { ExportRecord, RunRecord } from "../runs/record.ts";
import { modelFile, runFiles, vocabularyFile } from "../runs/run-directory.ts";
import { pausingSplit } from "../training/pausing-split.ts";
import { parameterValues } from "../training/snapshot.ts";
import type { Prepared } from "./prepare.ts";

interface ExportPreparedOptions extends Partial<RunConfig["export"]> {
  /** The run's. */
  readonly folder: string;
  /** Where the network goes, if not into that folder. */
  readonly file?: string | undefined;
  readonly reporter: Reporter;
  /** Between two batches of the verification: throws to end there. */
  pause(): Promise<void>;
}

/** Freezes what a run has learned, writes the file and verifies it over the test set. */
export async function exportPrepared(
  { config, dataset, task, plain, model, engine }: Prepared,
  record: RunRecord,
  { folder, reporter, pause, ...chosen }: ExportPreparedOptions,
): Promise<ExportRecord> {
  const { result } = record;
  const own = config.export;
  const { form = own.form, input = own.input, saturation = own.saturation } = chosen;
  const { latency = own.latency, unverified = own.unverified } = chosen;
  const { file = modelFile(folder, form, own.form) } = chosen;
  const learned: FreezeInput = {
    network: model.network,
    quantizers: model.quantizers,
    parameters: new Map(Array.from(model.parameters.keys(), (id) => [id, parameterValues(model, id)])),
    statistics: model.statistics,
    codes: new Map(Array.from(model.codes, ([id, { codes }]) => [id, codes])),
    classes: ("names" in dataset.targets ? dataset.targets.names : undefined) ?? [],
    normalization: dataset.normalization,
  };
  const tokenizer = dataset.tokens?.tokenizer ?? null;
  if (tokenizer !== null) writeFileAtomically(join(dirname(file), vocabularyFile), `${JSON.stringify(tokenizer)}\n`);
  const exported = await exportFile({
    form,
    input,
    saturation,
    network: freeze(learned),
    unpruned: freeze({ ...learned, network: plain, quantizers: new Map() }),
    file,
    bits: runFiles(folder).bits,
    metadata: { configHash: configHash(config), relativeBops: String(result!.relativeBops), run: record.name },
    test: { ...pausingSplit(dataset.test, pause), imageShape: dataset.imageShape },
    ops: engine.ops,
    threads: config.engine.threads,
    latency,
    unverified,
    agreement: task.agreement(result!.metrics),
    reporter,
  });
  // By its name: the record stays true when the run's folder moves.
  return { ...exported, file: basename(file) };
}
