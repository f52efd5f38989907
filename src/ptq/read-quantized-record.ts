import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { listIssues } from "../runs/checked-record.ts";
import { isRecordName, type QuantizedRecord, quantizedFile, quantizedRecordSchema } from "./quantized-record.ts";

/** The names of the records in a folder: several where it holds several widths of a model; none where it is no such folder. */
export function quantizedRecordsIn(folder: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder).filter(isRecordName).sort();
}

/**
 * A record in the folder of a quantized file.
 *
 * @param name Of several, which.
 * @throws UserError that names the file and what is wrong with it.
 */
export function readQuantizedRecord(folder: string, name: string = quantizedFile): QuantizedRecord {
  const path = join(folder, name);
  const record = quantizedRecordSchema.safeParse(parsed(path));
  if (record.success) return record.data;
  throw new UserError(
    `cannot read ${path}: it is damaged, or of another version; quantize again\n${listIssues(record.error)}`,
  );
}

function parsed(path: string): unknown {
  let text: string;
  try {
    text = readWholeFile(path).toString("utf8");
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${explainFileError(error)}`, { cause: error });
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new UserError(`cannot read ${path}: it is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
