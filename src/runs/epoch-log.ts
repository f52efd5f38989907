import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { writeFileFrom } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { checkedRecord } from "./checked-record.ts";
import type { RunRecord } from "./record.ts";

/** What a run's epochs came to, a line each, while the run is not over: appended to, so that no epoch costs more than another. */
export const epochLogFile = "epochs.ndjson";

/** How far the log goes for a record or a checkpoint; what stands behind is of a run that was killed since. */
export const logPlaceSchema = z.object({
  lines: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string().describe("of these bytes"),
});

export type LogPlace = z.infer<typeof logPlaceSchema>;

/** A line: the epoch as the record has it, unchecked, and what of `times` is its own. */
const lineSchema = z.object({
  epoch: z.unknown(),
  seconds: z.number().optional(),
  waitingForData: z.number().optional(),
});

/** A stored record, of which only what the log adds to is known. */
const headSchema = z.looseObject({ times: z.looseObject({}) });

/** Appends a run's epochs to its log. */
export class EpochLog {
  readonly #folder: string;
  readonly #hash = createHash("sha256");
  #lines = 0;
  #bytes = 0;

  /**
   * @param place Where the checkpoint is that the run goes on from; null: a run that has no log yet.
   * @throws UserError when the log does not go as far.
   */
  constructor(folder: string, place: LogPlace | null) {
    this.#folder = folder;
    if (place === null) return;
    this.#hash.update(readLogged(folder, place));
    this.#lines = place.lines;
    this.#bytes = place.bytes;
  }

  /**
   * Appends the epochs that the log has not, and makes them durable.
   *
   * @throws UserError when the file cannot be written, and the next call tries again from the same place; a plain Error
   * (a defect) when an epoch breaks the record's schema.
   */
  append(record: RunRecord): LogPlace {
    const { epochs, times } = checkedRecord({ ...record, epochs: record.epochs.slice(this.#lines) });
    const added = epochs.map((epoch, index) => {
      const at = this.#lines + index;
      return `${JSON.stringify({ epoch, seconds: times.epochSeconds[at], waitingForData: times.waitingForData[at] })}\n`;
    });
    if (added.length > 0) {
      const text = added.join("");
      writeFileFrom(join(this.#folder, epochLogFile), this.#bytes, text);
      this.#hash.update(text);
      this.#lines += added.length;
      this.#bytes += Buffer.byteLength(text);
    }
    return { lines: this.#lines, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }
}

/** The record without what the log has of it. */
export const withoutEpochs = (record: RunRecord): RunRecord => ({
  ...record,
  epochs: [],
  times: { ...record.times, epochSeconds: [], waitingForData: [] },
});

/**
 * The bytes of a run's log up to a place.
 *
 * @throws UserError when they are not those that were written.
 */
function readLogged(folder: string, { bytes, sha256 }: LogPlace): Buffer {
  const path = join(folder, epochLogFile);
  const logged = bytes === 0 ? Buffer.alloc(0) : readLog(path).subarray(0, bytes);
  if (createHash("sha256").update(logged).digest("hex") !== sha256)
    throw new UserError(`cannot read ${path}: its first ${bytes} bytes are damaged (checksum)`);
  return logged;
}

function readLog(path: string): Buffer {
  try {
    return readWholeFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * A stored record with its epochs, for a run to go on from.
 *
 * @param head As it was stored.
 * @throws UserError when the log is not what was written.
 */
export const withEpochsTo = (folder: string, place: LogPlace, head: unknown): unknown =>
  joined(head, readLogged(folder, place).toString("utf8"));

/**
 * The same for reading alone: as many of `lines` as are there, whole, as the run may be writing, or have been killed.
 */
export function withEpochsSoFar(folder: string, { lines }: LogPlace, head: unknown): unknown {
  const text = lines === 0 ? "" : readLog(join(folder, epochLogFile)).toString("utf8");
  const whole = text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  return joined(head, whole.slice(0, lines).join("\n"));
}

/** Lines up to the first that is none. What is no record is for its own schema to refuse. */
function joined(head: unknown, text: string): unknown {
  const parsed = headSchema.safeParse(head);
  if (!parsed.success) return head;
  const lines: z.infer<typeof lineSchema>[] = [];
  for (const line of text.split("\n")) {
    const read = lineSchema.safeParse(parsedJson(line));
    if (!read.success) break;
    lines.push(read.data);
  }
  const { times, ...rest } = parsed.data;
  return {
    ...rest,
    epochs: lines.map(({ epoch }) => epoch),
    times: {
      ...times,
      epochSeconds: lines.flatMap(({ seconds }) => seconds ?? []),
      waitingForData: lines.flatMap(({ waitingForData }) => waitingForData ?? []),
    },
  };
}

/** null, which no line is, where it is not JSON. */
function parsedJson(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return null;
  }
}
