import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { QuantizeConfig } from "../config/quantize-schema.ts";
import { UsageError } from "../core/errors.ts";
import type { HarmTable } from "../ptq/harm-table.ts";
import type { Memo } from "../ptq/memo.ts";
import { AppendedLog, parseLine, readLog } from "../runs/appended-log.ts";
import type { Environment } from "../runs/record.ts";
import type { programOf } from "./run-environment.ts";

/** What a run that was stopped has found so far, in its folder. */
export const progressFile = "progress.ndjson";

const lineSchema = z.strictObject({ key: z.string(), value: z.unknown() });

/** What all that is found depends on. */
export interface ProgressOf {
  /** Of the file that is quantized. */
  readonly sha256: string;
  readonly dataSha256: string | null;
  readonly settings: QuantizeConfig;
  /** What another run has measured, by which widths are chosen. */
  readonly measured: HarmTable | null;
  readonly program: ReturnType<typeof programOf>;
  /** Of what solves layers; null: none are solved. */
  readonly environment: Environment | null;
  /** What runs the file. */
  readonly runtime: string;
}

/** Keeps what takes long in the run's folder, line by line; a line that a killed process has left in parts is not read. */
export class QuantizeProgress implements Memo {
  readonly #known = new Map<string, unknown>();
  readonly #log: AppendedLog;
  readonly #path: string;

  /**
   * @param resume Whether what is there is taken up; else it goes.
   * @throws UsageError when there is nothing to resume, or what is there is of another file, of other data or settings, or
   * was found in another environment.
   */
  constructor(folder: string, of: ProgressOf, { resume }: { readonly resume: boolean }) {
    this.#path = join(folder, progressFile);
    if (!resume) removeProgress(folder);
    else if (!existsSync(this.#path)) {
      throw new UsageError(`${folder} holds no run that was stopped: quantize without --resume`);
    }
    const about = aboutOf(of);
    const log = resume ? readLog(this.#path) : Buffer.alloc(0);
    let [lines, bytes] = [0, 0];
    for (const { text, end } of wholeLines(log)) {
      if (lines === 0 && text !== about) {
        if (parseLine(text) === null) break;
        throw new UsageError(
          `${folder} holds a stopped run of another file, other data or other settings, or of another engine, runtime or version: begin anew with --force`,
        );
      }
      if (lines > 0) {
        const read = lineSchema.safeParse(parseLine(text));
        if (!read.success) break;
        this.#known.set(read.data.key, read.data.value);
      }
      [lines, bytes] = [lines + 1, end];
    }
    const sha256 = createHash("sha256").update(log.subarray(0, bytes)).digest("hex");
    this.#log = new AppendedLog(this.#path, { lines, bytes, sha256 });
    this.#log.append(lines === 0 ? [about] : []);
  }

  /** How many things were found before. */
  get count(): number {
    return this.#known.size;
  }

  recall(key: string): unknown {
    return this.#known.get(key) ?? null;
  }

  keep(key: string, value: unknown): void {
    this.#known.set(key, value);
    this.#log.append([JSON.stringify({ key, value })]);
  }

  /** The run is whole. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }

  /** A run that was refused before anything was found leaves nothing to go on with. */
  [Symbol.dispose](): void {
    if (this.count === 0) this.remove();
  }
}

/** Lines one by one, as all of them may be more than a string can hold; what stands behind the last end was being written. */
function* wholeLines(log: Buffer): Generator<{ readonly text: string; readonly end: number }> {
  for (let start = 0; ; ) {
    const end = log.indexOf("\n", start);
    if (end < 0) return;
    yield { text: log.toString("utf8", start, end), end: end + 1 };
    start = end + 1;
  }
}

/** What a stopped run has left is not wanted. */
export const removeProgress = (folder: string): void => rmSync(join(folder, progressFile), { force: true });

/** Whether a folder holds a run that was stopped. */
export const isStopped = (folder: string): boolean => existsSync(join(folder, progressFile));

/** The first line: what the file is, and a hash of all that its content depends on. */
function aboutOf({ settings, ...found }: ProgressOf): string {
  // The written file's names and thresholds change nothing that is found.
  const { export: _, verify: __, name: ___, note: ____, ...others } = settings;
  const of = createHash("sha256")
    .update(JSON.stringify({ ...found, others }))
    .digest("hex");
  return JSON.stringify({ format: "bayesian-bits-quantize-progress", version: 1, of });
}
