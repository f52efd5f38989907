import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { quantizedRecordsIn } from "../ptq/read-quantized-record.ts";
import { recordFile } from "../runs/record-file.ts";

/** A folder with a record. */
export interface FoundRun {
  readonly folder: string;
  /** Of an ONNX file that was quantized, the name of its record; null: a run. */
  readonly quantized: string | null;
}

/** Folders between one with results and its runs, as reports, a sweep and its runs are. */
const DEEPEST = 3;

/**
 * The runs in a folder: itself, or what lies below it, in the order of their paths. Links are not followed.
 *
 * @throws UserError where a folder cannot be read.
 */
export function findRuns(folder: string, depth = 0): readonly FoundRun[] {
  if (existsSync(join(folder, recordFile))) return [{ folder, quantized: null }];
  const records = quantizedRecordsIn(folder);
  if (records.length > 0) return records.map((quantized) => ({ folder, quantized }));
  if (depth === DEEPEST) return [];
  return subfolders(folder).flatMap((name) => findRuns(join(folder, name), depth + 1));
}

function subfolders(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw new UserError(`cannot list the runs in ${folder}: ${explainFileError(error)}`, { cause: error });
  }
}
