import {
  type Change,
  changesSince,
  describeChange,
  mayChangeOnResume,
  mayDifferWhenFinished,
} from "../config/changes.ts";
import { parseConfig } from "../config/parse-config.ts";
import type { RunConfig, RunSettings } from "../config/schema.ts";
import { StoppedError, UsageError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { shortenList } from "../core/shorten.ts";
import { canVerify } from "../export/export-forms.ts";
import { imageCountsOf, requireMemory } from "../memory/index.ts";
import { takeUpCheckpoint } from "../runs/checkpoints.ts";
import { whileLocked } from "../runs/lock.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { openRunDirectory, runFiles } from "../runs/run-directory.ts";
import { openEventLog } from "./event-log.ts";
import { prepare } from "./prepare.ts";
import { Run } from "./run.ts";
import { neverStopped } from "./run-context.ts";
import { startLine } from "./start-line.ts";
import type { StepProgress } from "./step-progress.ts";

export interface TrainOptions {
  /** Where the run's files go; made where there is none. */
  readonly folder: string;
  /** Continues the run that the folder holds, where it holds one; a finished one is given back as it is. */
  readonly resume?: boolean;
  /** Replaces the run that the folder holds; with `resume`, takes over its lock. */
  readonly force?: boolean;
  /** Aborted: the run saves after this step, and ends with a {@link StoppedError}. */
  readonly stop?: AbortSignal;
  /** Hears what there is to say; nobody does if left out. */
  readonly reporter?: Reporter;
  /** Gets each new state of the record: at the start, after each epoch or layer, with each warning, at the end. */
  readonly onRecord?: (record: RunRecord) => void;
  /** Hears of each training step; of none where a network is quantized layer by layer. */
  readonly onStep?: (progress: StepProgress) => void;
}

/**
 * Trains one configuration, or quantizes a trained network where its method does that; then exports, verifies and
 * reports. The folder holds checkpoint, record, ONNX file and report then.
 *
 * @returns The finished run's record.
 * @throws UsageError when settings are wrong, do not fit the data or memory, or the folder holds a run and neither
 * `resume` nor `force` says what to do with it; StoppedError when it was stopped; UserError for all else that fails:
 * data, network file, engine, file system, training that diverges, an export that disagrees with the trainer.
 */
export async function train(settings: RunSettings, options: TrainOptions): Promise<RunRecord> {
  const config = parseConfig(settings);
  const { folder, resume = false, force = false, reporter = silent } = options;
  const { opening, lock } = openRunDirectory(folder, { resume, force });
  return whileLocked(lock, async () => {
    if (opening !== "finished") return trainIn(folder, { config, resumes: opening === "resume" }, options);
    const record = readRecord(folder);
    refuseChanges(changesSince(record.config, config), { folder, status: "finished" });
    reporter.info(`${folder} holds a finished run of ${config.name}: nothing to do (--force trains it again)`);
    return record;
  });
}

async function trainIn(
  folder: string,
  { config, resumes }: { readonly config: RunConfig; readonly resumes: boolean },
  { stop = neverStopped(), reporter = silent, onRecord = () => {}, onStep = () => {} }: TrainOptions,
): Promise<RunRecord> {
  using log = openEventLog(runFiles(folder).events, reporter);
  const checkpoint = resumes ? takeUpCheckpoint(folder, log) : null;
  const changes = checkpoint === null ? [] : changesSince(checkpoint.record.config, config);
  refuseChanges(changes, { folder, status: "stopped" });
  // Not after hours of training.
  canVerify(config.export.form, config.export);
  await using prepared = await prepare(config, log, checkpoint?.record);
  if (stop.aborted) throw new StoppedError(stop.reason, { folder, hasSaved: resumes });
  const { model, method, teaching, dataset } = prepared;
  const images = imageCountsOf(dataset);
  const { distillation } = teaching ?? {};
  requireMemory(config, { network: model.network, method, distillation, images }, log);
  using run = new Run(folder, prepared, { reporter: log, stop, onStep }, onRecord);
  if (checkpoint === null) await run.begin();
  else await run.restore(checkpoint, changes);
  log.info(startLine(run.record, folder));
  await run.train();
  await run.finish();
  await run.deliver();
  return run.record;
}

/** @throws UsageError that lists the settings with which the folder's run cannot go on, or was not made. */
function refuseChanges(
  changes: readonly Change[],
  { folder, status }: { readonly folder: string; readonly status: "finished" | "stopped" },
): void {
  const isFinished = status === "finished";
  const refused = changes.filter((change) => !(isFinished ? mayDifferWhenFinished : mayChangeOnResume)(change));
  if (refused.length === 0) return;
  const list = shortenList(refused.map((change) => `  ${describeChange(change)}`)).join("\n");
  const run = isFinished ? "a finished run with other settings" : "a run that cannot go on with other settings";
  throw new UsageError(
    `${folder} holds ${run}:\n${list}\nundo them, train anew with --force, or choose another directory with --out`,
  );
}
