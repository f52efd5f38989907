import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunConfig } from "../config/schema.ts";
import { messageOf, StoppedError, UserError } from "../core/errors.ts";
import type { DataFile } from "../data/dataset.ts";
import type { LogPlace } from "../runs/appended-log.ts";
import type { Checkpoint } from "../runs/checkpoint.ts";
import { readLastCheckpoint, saveCheckpoint } from "../runs/checkpoints.ts";
import { EpochLog } from "../runs/epoch-log.ts";
import { ImageLog } from "../runs/image-log.ts";
import { LostFolderError } from "../runs/lock.ts";
import type { RunRecord } from "../runs/record.ts";
import { recordFile, writeRecord, writeRunningRecord } from "../runs/record-file.ts";
import { writeFinishedRecord } from "../runs/run-manifest.ts";
import type { StoredTensor } from "../runs/safetensors.ts";
import type { SearchName } from "../runs/search-schema.ts";
import { start } from "../training/loop.ts";
import type { RunContext } from "./run-context.ts";

export interface SavedRunOptions {
  readonly folder: string;
  readonly record: RunRecord;
  readonly context: RunContext;
  /** Gets each new state of the record. */
  publish(record: RunRecord): void;
  /** What a checkpoint holds now. */
  tensors(): ReadonlyMap<string, StoredTensor>;
  /** The image files that the run has used so far, but for the first `count`. */
  imagesFrom(count: number): readonly DataFile[];
}

/**
 * What of a run outlives it: its checkpoint, which it goes on from, and its record, which on disk is for reading only;
 * and what becomes of them where it is stopped, or fails.
 */
export class SavedRun {
  readonly folder: string;
  position: Checkpoint["progress"] = start;
  readonly #context: SavedRunOptions["context"];
  readonly #publish: SavedRunOptions["publish"];
  readonly #tensors: SavedRunOptions["tensors"];
  readonly #imagesFrom: SavedRunOptions["imagesFrom"];
  #record: RunRecord;
  #epochs: EpochLog;
  #images: ImageLog;
  // Of a clock that nobody sets: durations stay true when the machine's time is changed.
  readonly #sessionStarted = performance.now();
  #secondsBefore = 0;
  #savedAt = performance.now();
  #hasSaved = false;

  constructor({ folder, record, context, publish, tensors, imagesFrom }: SavedRunOptions) {
    this.folder = folder;
    this.#epochs = new EpochLog(folder, null);
    this.#images = new ImageLog(folder, null);
    this.#context = context;
    this.#publish = publish;
    this.#tensors = tensors;
    this.#imagesFrom = imagesFrom;
    this.#record = record;
    publish(record);
  }

  get record(): RunRecord {
    return this.#record;
  }

  set record(record: RunRecord) {
    this.#record = record;
    this.#publish(record);
  }

  /** Goes on from a checkpoint, with a record that may have been changed since. */
  resume(
    { progress, epochLog, imageLog }: Pick<Checkpoint, "progress" | "epochLog" | "imageLog">,
    record: RunRecord,
  ): void {
    this.#epochs = new EpochLog(this.folder, epochLog ?? null);
    this.#images = new ImageLog(this.folder, imageLog ?? null);
    this.position = progress;
    this.#hasSaved = true;
    this.#secondsBefore = record.times.seconds;
    this.record = record;
  }

  /** Seconds that a policy has taken, of which nobody has to hear. */
  addSearchTime(name: SearchName, seconds: number): void {
    const { times } = this.#record;
    const { [name]: before = 0 } = times.searchSeconds ?? {};
    const searchSeconds = { ...times.searchSeconds, [name]: before + seconds };
    this.#record = { ...this.#record, times: { ...times, searchSeconds } };
  }

  /** Checkpoint and record to disk. */
  save(status: RunRecord["status"] = "running"): void {
    this.#updateTimes(status);
    const epochLog = this.#epochs.append(this.record);
    this.#saveCheckpoint(epochLog);
    if (status === "running") writeRunningRecord(this.folder, this.record, epochLog);
    else writeRecord(this.folder, this.record);
  }

  /**
   * The same at the end, each with all epochs; the record comes last, so that a run which says that it is finished has
   * all its files.
   */
  finish(writeFiles: (record: RunRecord) => void): void {
    this.#updateTimes("finished");
    writeFiles(this.record);
    this.#saveCheckpoint();
    writeFinishedRecord(this.folder, this.record);
  }

  /** Whether it is time for the next checkpoint. */
  isDue(every: RunConfig["checkpoint"]): boolean {
    const { epoch, batch } = this.position;
    return (batch === 0 && epoch % every.everyEpochs === 0) || this.isOverdue(every);
  }

  /** The same by time alone. */
  isOverdue({ everyMinutes }: Pick<RunConfig["checkpoint"], "everyMinutes">): boolean {
    return performance.now() - this.#savedAt >= everyMinutes * 60_000;
  }

  /** @throws what a stop by a signal is, between two steps or two batches of an evaluation. */
  async hearSignals(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.check();
  }

  /** @throws what a stop by a signal is, where one was heard. */
  check(): void {
    const { stop } = this.#context;
    if (stop.aborted) throw new StoppedError(stop.reason, { folder: this.folder, hasSaved: this.#hasSaved });
  }

  /** A signal ends `work` with everything saved; anything else is a failure. */
  saveWhenStopped(work: () => Promise<void>): Promise<void> {
    return this.markFailure(async () => {
      try {
        await work();
      } catch (error) {
        if (error instanceof StoppedError) this.save("stopped");
        throw error;
      }
    });
  }

  /** Says in the record, if it can still be written, that the run has failed, and in the error what is left of it. */
  async markFailure(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof StoppedError || error instanceof LostFolderError) throw error;
      this.record = { ...this.record, status: "failed" };
      this.warn(messageOf(error));
      const step = this.#stepOnDisk();
      // A run that has nothing to go on from begins anew, and is no run yet.
      if (step !== null || existsSync(join(this.folder, recordFile))) this.#tryToWriteRecord();
      if (!(error instanceof UserError) || step === null) throw error;
      const { exitCode } = error;
      const kept = `the state of step ${step} is kept: continue from it with --resume`;
      throw new UserError(`${error.message}\n${kept}`, { exitCode, cause: error });
    }
  }

  /** A warning for log and record, once. */
  warn(message: string, step: number = this.position.step): void {
    const { warnings } = this.record;
    if (warnings.some((warning) => warning.message === message)) return;
    this.record = { ...this.record, warnings: [...warnings, { step, message }] };
    this.#context.reporter.warn(`step ${step}: ${message}`);
  }

  #saveCheckpoint(epochLog?: LogPlace): void {
    const imageLog = this.#images.append(this.#imagesFrom);
    saveCheckpoint(this.folder, {
      ...{ tensors: this.#tensors(), progress: this.position, record: this.record },
      ...(epochLog && { epochLog }),
      ...(imageLog && { imageLog }),
    });
    this.#savedAt = performance.now();
    this.#hasSaved = true;
  }

  #tryToWriteRecord(): void {
    try {
      writeRecord(this.folder, this.record);
    } catch {
      // The error before this one is what is told; the checkpoint is what counts.
    }
  }

  /** Of what `--resume` would find: also a checkpoint whose writing failed after it had its name. Null: none. */
  #stepOnDisk(): number | null {
    try {
      return readLastCheckpoint(this.folder, { warn: () => {} }).progress.step;
    } catch {
      return null;
    }
  }

  #updateTimes(status: RunRecord["status"]): void {
    const seconds = this.#secondsBefore + (performance.now() - this.#sessionStarted) / 1000;
    const finishedAt = status === "finished" ? new Date().toISOString() : null;
    this.record = { ...this.record, status, times: { ...this.record.times, seconds, finishedAt } };
  }
}
