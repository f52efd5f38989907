import { join } from "node:path";
import { type Change, changedSettings, describeChange, mayChangeOnResume } from "../config/changes.ts";
import { loadConfig } from "../config/load-config.ts";
import type { RunConfig } from "../config/schema.ts";
import { UsageError } from "../core/errors.ts";
import { LiveView } from "../live/live-view.ts";
import { prepare } from "../runner/prepare.ts";
import { requireMemory } from "../runner/require-memory.ts";
import { Run } from "../runner/run.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import { takeUpCheckpoint } from "../runs/checkpoints.ts";
import { readRecord } from "../runs/record-file.ts";
import { type Opening, openRunDirectory, runFiles } from "../runs/run-directory.ts";
import type { Context } from "./context.ts";
import { printResult } from "./result.ts";

export interface TrainOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly out?: string;
  readonly resume: boolean;
  readonly force: boolean;
  /** Serves the growing report on this machine. */
  readonly watch?: boolean;
  /** The port that it is served on; a free one if left out. */
  readonly watchPort?: number;
}

/** `train`: configuration in; run directory with checkpoint, record, ONNX file and report out. */
export async function runTrain(options: TrainOptions, context: Context): Promise<void> {
  const { config } = loadConfig(options.config, { set: [...options.set] });
  const folder = options.out ?? join("reports", config.name);
  const { opening, lock } = openRunDirectory(folder, options);
  const watchPort = options.watch ? (options.watchPort ?? 0) : null;
  // A signal may end the program anywhere; the directory is given free in any case.
  process.once("exit", lock.release);
  try {
    await trainIn(folder, { config, opening, watchPort }, context);
  } finally {
    lock.release();
    process.off("exit", lock.release);
  }
}

interface Training {
  readonly config: RunConfig;
  readonly opening: Opening;
  /** null: nobody watches. */
  readonly watchPort: number | null;
}

async function trainIn(folder: string, { config, opening, watchPort }: Training, context: Context): Promise<void> {
  if (opening === "finished") {
    context.reporter.info(`${folder} holds a finished run of ${config.name}: nothing to do (--force trains it again)`);
    return printResult(folder, readRecord(folder), context);
  }
  const log = context.openEventLog(runFiles(folder).events);
  const live = watchPort === null ? null : await LiveView.start({ port: watchPort, reporter: log });
  if (live) log.info(`the growing report: ${live.url}`);
  try {
    const checkpoint = opening === "resume" ? takeUpCheckpoint(folder, log) : null;
    const changes = checkpoint === null ? [] : changesOf(checkpoint, config, folder);
    const prepared = await prepare(config, { reporter: log });
    requireMemory(config, { network: prepared.model.network, layerwise: prepared.method.layerwise }, log);
    const run = new Run(folder, prepared, { ...context, reporter: log }, (record) => live?.show(record));
    await context.holdStops(async () => {
      if (checkpoint === null) await run.begin();
      else await run.restore(checkpoint, changes);
      await run.train();
      await run.finish();
    });
    await run.deliver();
    printResult(folder, run.record, context);
    await prepared.dataset.close();
  } finally {
    await live?.end();
  }
}

/**
 * The settings that a resumed run has with other values than before.
 *
 * @throws UsageError that lists those that its checkpoint, or its place in the data, depends on.
 */
function changesOf({ record }: Checkpoint, config: RunConfig, folder: string): readonly Change[] {
  const changes = changedSettings(record.config, config);
  const refused = changes.filter((change) => !mayChangeOnResume(change));
  if (refused.length === 0) return changes;
  const list = refused.map((change) => `  ${describeChange(change)}`).join("\n");
  throw new UsageError(
    `${folder} holds a run that cannot go on with other settings:\n${list}\nundo them, train anew with --force, or choose another directory with --out`,
  );
}
