import { createHash } from "node:crypto";
import { z } from "zod";
import { writeFileFrom } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";

/** How far a log goes for a record or a checkpoint; what stands behind is of a run that was killed since. */
export const logPlaceSchema = z.object({
  lines: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string().describe("of these bytes"),
});

export type LogPlace = z.infer<typeof logPlaceSchema>;

/** A file of lines that is only added to, so that no save costs more than another. */
export class AppendedLog {
  readonly #path: string;
  readonly #hash = createHash("sha256");
  #lines = 0;
  #bytes = 0;
  /** Whether the file may go on behind the place that it was taken up at. */
  #mayBeLonger = false;

  /**
   * @param place Where the checkpoint is that the run goes on from; null: a run that has no log yet.
   * @throws UserError when the log does not go as far.
   */
  constructor(path: string, place: LogPlace | null) {
    this.#path = path;
    if (place === null) return;
    this.#hash.update(readLogged(path, place));
    this.#lines = place.lines;
    this.#bytes = place.bytes;
    this.#mayBeLonger = true;
  }

  get lines(): number {
    return this.#lines;
  }

  /**
   * Appends lines and makes them durable; what a killed run has left behind the place goes.
   *
   * @throws UserError when the file cannot be written; the next call writes from the same place.
   */
  append(lines: readonly string[]): LogPlace {
    if (lines.length > 0 || this.#mayBeLonger) {
      const text = lines.map((line) => `${line}\n`).join("");
      writeFileFrom(this.#path, this.#bytes, text);
      this.#mayBeLonger = false;
      this.#hash.update(text);
      this.#lines += lines.length;
      this.#bytes += Buffer.byteLength(text);
    }
    return { lines: this.#lines, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }
}

/**
 * The bytes of a log up to a place.
 *
 * @throws UserError when they are not those that were written.
 */
export function readLogged(path: string, { bytes, sha256 }: LogPlace): Buffer {
  const logged = bytes === 0 ? Buffer.alloc(0) : readLog(path).subarray(0, bytes);
  if (createHash("sha256").update(logged).digest("hex") !== sha256)
    throw new UserError(`cannot read ${path}: its first ${bytes} bytes are damaged (checksum)`);
  return logged;
}

/** All of a log. @throws UserError when it cannot be read. */
export function readLog(path: string): Buffer {
  try {
    return readWholeFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** What a line holds; null, which no line is, where it is not JSON. */
export function parseLine(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return null;
  }
}
