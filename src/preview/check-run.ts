import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunConfig } from "../config/schema.ts";
import { layerwiseMethods } from "../config/sections/methods/layerwise-settings.ts";
import { availableMemory } from "../core/available-memory.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { batchesPerEpoch } from "../data/batches.ts";
import { canVerify } from "../export/export-forms.ts";
import { imageCountsOf, type MemoryStage, memoryStages, requireMemory } from "../memory/index.ts";
import { beginWeights } from "../runner/begin-training.ts";
import { newRecord } from "../runner/new-record.ts";
import { type Prepared, prepare } from "../runner/prepare.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord, recordFile } from "../runs/record-file.ts";
import { modelFile, runFiles } from "../runs/run-directory.ts";
import { epochsOf, planPhases } from "../training/phases.ts";
import { measuredConfig, measureTraining, type Timing } from "./measure-training.ts";
import { epochSeconds } from "./plan-training.ts";

/** How long a training would take. */
export interface CheckedTime extends Timing {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Of all phases. */
  readonly epochs: number;
  /** Of all epochs, each with its evaluation, and of codebooks' steps before them; not of what comes behind. */
  readonly seconds: number;
}

/** What a run would be. */
export interface CheckedRun extends Pick<RunRecord, "name" | "network" | "data" | "environment" | "task"> {
  readonly method: RunConfig["method"];
  readonly folder: string;
  /** The state of the run that the folder holds; null: it holds none. */
  readonly holds: RunRecord["status"] | null;
  readonly memory: { readonly available: number; readonly stages: readonly Omit<MemoryStage, "setting">[] };
  /** Null where layers are quantized one by one: nothing tells beforehand how long each takes. */
  readonly time: CheckedTime | null;
  /** The files that it would write. */
  readonly writes: readonly string[];
}

/**
 * Everything that can be known of a run before it begins: what a run refuses is refused here, and some steps of it are
 * timed. Nothing is written.
 *
 * @throws UsageError, UserError as the beginning of the run does.
 */
export async function checkRun(
  config: RunConfig,
  { folder, reporter }: { readonly folder: string; readonly reporter: Reporter },
): Promise<CheckedRun> {
  canVerify(config.export.form, config.export);
  await using prepared = await prepare(isTrained(config) ? measuredConfig(config) : config, reporter);
  const { model, method, teaching, dataset } = prepared;
  const { distillation } = teaching ?? {};
  const shape = { network: model.network, method, distillation, images: imageCountsOf(dataset) };
  const available = availableMemory();
  requireMemory(config, shape, { available, warn: reporter.warn });
  const time = await timeOf(config, prepared);
  const { name, network, data, environment, task } = newRecord(prepared);
  const holds = existsSync(join(folder, recordFile)) ? readRecord(folder).status : null;
  const stages = memoryStages(config, shape).map(({ what, likely, atMost }) => ({ what, likely, atMost }));
  return {
    ...{ name, network, data, environment, task, method: config.method, folder, holds, time },
    memory: { available, stages },
    writes: writtenFiles(config, folder),
  };
}

function isTrained({ method, training }: RunConfig): boolean {
  if (method.name === "product-quantization") return training.epochs > 0 || method.finetune.steps > 0;
  return !layerwiseMethods.some((name) => name === method.name);
}

async function timeOf(config: RunConfig, prepared: Prepared): Promise<CheckedTime | null> {
  if (isTrained(config)) return timeFor(config, sizesOf(prepared), await measureTraining(prepared));
  // Whether there are weights to quantize.
  await beginWeights(prepared);
  return null;
}

/** What decides, beside its settings, how long a run takes. */
const sizesOf = ({ dataset, method, model }: Prepared) => ({
  images: dataset.train.count,
  evaluated: (dataset.validation ?? dataset.test).count,
  method,
  /** That get codebooks, which may learn one by one before the first epoch. */
  codebooks: method.clustering?.codebooks(model.network).size ?? 0,
});

/** How long a configuration takes with steps as they were measured for it, or for another of the same shapes. */
function timeFor(
  { data: { batchSize }, training, method: settings }: RunConfig,
  { images, evaluated, method, codebooks }: ReturnType<typeof sizesOf>,
  timing: Timing,
): CheckedTime {
  const epochs = epochsOf(planPhases(training, method));
  const layerSteps = "finetune" in settings ? codebooks * settings.finetune.steps : 0;
  const seconds = epochs * epochSeconds({ images, evaluated, batchSize, timing }) + layerSteps * timing.step;
  return { ...timing, batchSize, stepsPerEpoch: batchesPerEpoch(images, batchSize), epochs, seconds };
}

function writtenFiles(config: RunConfig, folder: string): readonly string[] {
  const { config: written, events, checkpoint, bits, report } = runFiles(folder);
  const { form } = config.export;
  return [modelFile(folder, form), bits, report, join(folder, recordFile), written, events, checkpoint];
}

/** What a run of a sweep would take, or why it cannot begin. */
export type SweptRun = { readonly seconds: number | null } | { readonly problem: string };

/**
 * The same of many runs, by their names: steps are timed once for all runs that have the same shapes.
 *
 * @throws what is no fault of the runs.
 */
export async function checkRuns(
  runs: readonly { readonly name: string; readonly config: RunConfig }[],
  reporter: Reporter,
): Promise<ReadonlyMap<string, SweptRun>> {
  const checked = new Map<string, SweptRun>();
  const known = new Map<string, Promise<(config: RunConfig) => number | null>>();
  for (const { name, config } of runs) {
    const { data, network, task, engine, training, method } = config;
    const key = JSON.stringify([data, network, task, engine, training.from, method.name]);
    const seconds = known.get(key) ?? secondsOf(config, reporter);
    known.set(key, seconds);
    checked.set(name, await seconds.then((of) => ({ seconds: of(config) }), problemOf));
  }
  return checked;
}

async function secondsOf(config: RunConfig, reporter: Reporter): Promise<(config: RunConfig) => number | null> {
  await using prepared = await prepare(isTrained(config) ? measuredConfig(config) : config, reporter);
  const time = await timeOf(config, prepared);
  const sizes = sizesOf(prepared);
  return (other) => time && timeFor(other, sizes, time).seconds;
}

function problemOf(error: unknown): SweptRun {
  if (error instanceof UserError) return { problem: error.message };
  throw error;
}
