import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { QuantizeConfig } from "../config/quantize-schema.ts";
import { UsageError } from "../core/errors.ts";
import type { Memo } from "../ptq/memo.ts";
import { AppendedLog, parseLine, readLog } from "../runs/appended-log.ts";

/** What a run that was stopped has found so far, in its folder. */
export const progressFile = "progress.ndjson";

const lineSchema = z.strictObject({ key: z.string(), value: z.unknown() });

/** What all that is found depends on. */
export interface ProgressOf {
  /** Of the file that is quantized. */
  readonly sha256: string;
  readonly dataSha256: string | null;
  readonly settings: QuantizeConfig;
}

/** Keeps what takes long in the run's folder, line by line; a line that a killed process has left in parts is not read. */
export class QuantizeProgress implements Memo {
  readonly #known = new Map<string, unknown>();
  readonly #log: AppendedLog;
  readonly #path: string;

  /**
   * @param resume Whether what is there is taken up; else it goes.
   * @throws UsageError when there is nothing to resume, or what is there is of another file, of other data or settings.
   */
  constructor(folder: string, of: ProgressOf, { resume }: { readonly resume: boolean }) {
    this.#path = join(folder, progressFile);
    if (!resume) rmSync(this.#path, { force: true });
    else if (!existsSync(this.#path)) {
      throw new UsageError(`${folder} holds no run that was stopped: quantize without --resume`);
    }
    const about = aboutOf(of);
    const text = resume ? readLog(this.#path).toString("utf8") : "";
    // What stands behind the last end of a line was being written.
    const [first = "", ...lines] = text.split("\n").slice(0, -1);
    const isSame = first === about;
    if (parseLine(first) !== null && !isSame) {
      throw new UsageError(
        `${folder} holds a stopped run of another file, other data or other settings: begin anew with --force`,
      );
    }
    const whole: string[] = isSame ? [first] : [];
    for (const line of isSame ? lines : []) {
      const read = lineSchema.safeParse(parseLine(line));
      if (!read.success) break;
      this.#known.set(read.data.key, read.data.value);
      whole.push(line);
    }
    const kept = whole.map((line) => `${line}\n`).join("");
    const sha256 = createHash("sha256").update(kept).digest("hex");
    this.#log = new AppendedLog(this.#path, { lines: whole.length, bytes: Buffer.byteLength(kept), sha256 });
    this.#log.append(isSame ? [] : [about]);
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

/** Whether a folder holds a run that was stopped. */
export const isStopped = (folder: string): boolean => existsSync(join(folder, progressFile));

/** The first line: what the file is, and a hash of all that its content depends on. */
function aboutOf({ sha256, dataSha256, settings }: ProgressOf): string {
  // The written file's names and thresholds change nothing that is found.
  const { export: _, verify: __, name: ___, note: ____, ...others } = settings;
  const of = createHash("sha256").update(JSON.stringify({ sha256, dataSha256, others })).digest("hex");
  return JSON.stringify({ format: "bayesian-bits-quantize-progress", version: 1, of });
}
