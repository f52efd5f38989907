import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../core/errors.ts";
import type { DataFile } from "../data/dataset.ts";
import { AppendedLog, type LogPlace, parseLine, readLogged } from "./appended-log.ts";

/**
 * Length and checksum of every image file that a run has read, a line each, in the order in which they were first used:
 * what it reads when it goes on must be the same.
 */
export const imageLogFile = "images.ndjson";

const lineSchema = z.object({
  name: z.string().describe("path in the data's folder, with /"),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Appends to a run's list of images. */
export class ImageLog {
  readonly #log: AppendedLog;

  /** @param place Where the checkpoint is that the run goes on from; null: a run that has read none. */
  constructor(folder: string, place: LogPlace | null) {
    this.#log = new AppendedLog(join(folder, imageLogFile), place);
  }

  /**
   * Appends the images that the log has not, and makes them durable.
   *
   * @param imagesFrom Those that were read, but for as many first ones.
   * @returns undefined as long as there is none: a run with data in few files has no such log.
   * @throws UserError when the file cannot be written.
   */
  append(imagesFrom: (count: number) => readonly DataFile[]): LogPlace | undefined {
    const place = this.#log.append(
      imagesFrom(this.#log.lines).map(({ name, bytes, sha256 }) => JSON.stringify({ name, bytes, sha256 })),
    );
    return place.lines === 0 ? undefined : place;
  }
}

/**
 * The images that a run had read at a checkpoint.
 *
 * @throws UserError when its log is not what was written.
 */
export function readImages(folder: string, place: LogPlace): readonly DataFile[] {
  const path = join(folder, imageLogFile);
  const lines = readLogged(path, place).toString("utf8").split("\n").slice(0, -1);
  return lines.map((line, index) => {
    const read = lineSchema.safeParse(parseLine(line));
    if (read.success) return read.data;
    throw new UserError(`cannot read ${path}: line ${index + 1} is not name, length and checksum of an image`);
  });
}
