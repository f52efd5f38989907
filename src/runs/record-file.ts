import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { type LogPlace, logPlaceSchema } from "./appended-log.ts";
import { checkedRecord, listIssues } from "./checked-record.ts";
import { withEpochsSoFar, withoutEpochs } from "./epoch-log.ts";
import { type RunRecord, recordVersion } from "./record.ts";
import { storedRecord } from "./record-versions.ts";

/** The record's file in a run folder. */
export const recordFile = "record.json";

/** Just enough to tell whose file it is, how old, and whether its epochs stand beside it. */
const headSchema = z.object({
  format: z.literal("bayesian-bits-run"),
  version: z.int(),
  epochLog: logPlaceSchema.optional(),
});

/**
 * Reads and checks the record of a run folder.
 *
 * @throws UserError (exit code 1) that names the file and what is wrong: missing, not JSON, not a record, written by a
 * newer version, or damaged, with the places in the record.
 */
export function readRecord(runFolder: string): RunRecord {
  const path = join(runFolder, recordFile);
  const value = parse(path, readText(path, runFolder));
  const head = headSchema.safeParse(value);
  if (!head.success) {
    throw new UserError(
      `cannot read ${path}: it is not the record of a run (expected "format": "bayesian-bits-run" and a "version")`,
    );
  }
  if (head.data.version > recordVersion) {
    throw new UserError(
      `cannot read ${path}: it has version ${head.data.version}, and this program reads up to ${recordVersion}; use the newer program that wrote it`,
    );
  }
  const { epochLog } = head.data;
  const record = storedRecord.safeParse(epochLog ? withEpochsSoFar(runFolder, epochLog, value) : value);
  if (record.success) return record.data;
  throw new UserError(
    `cannot read ${path}: the record is damaged; run again, or restore the file\n${listIssues(record.error)}`,
  );
}

/**
 * Writes a run's record atomically. Objects have their keys in the schema's order, maps (configuration, quantizers)
 * in the order given; equal records give equal bytes.
 *
 * @throws UserError when the file cannot be written; a plain Error (a defect) when the record breaks its own schema,
 * as a non-finite loss does: it could not be read back.
 */
export function writeRecord(runFolder: string, record: RunRecord): void {
  writeFileAtomically(join(runFolder, recordFile), recordText(record));
}

/** What {@link writeRecord} writes. */
export const recordText = (record: RunRecord): string => `${JSON.stringify(checkedRecord(record), null, 1)}\n`;

/**
 * The same for a run that is not over: without the epochs, which its log has up to a place.
 *
 * @param record The whole one.
 */
export function writeRunningRecord(runFolder: string, record: RunRecord, epochLog: LogPlace): void {
  const checked = checkedRecord(withoutEpochs(record));
  writeFileAtomically(join(runFolder, recordFile), `${JSON.stringify({ ...checked, epochLog }, null, 1)}\n`);
}

function readText(path: string, runFolder: string): string {
  try {
    return readWholeFile(path).toString("utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    const remedy = missing ? `; is ${runFolder} the folder of a run? \`bayesian-bits train\` makes one` : "";
    throw new UserError(`cannot read ${path}: ${missing ? "there is no such file" : messageOf(error)}${remedy}`, {
      cause: error,
    });
  }
}

function parse(path: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new UserError(`cannot read ${path}: it is not JSON (${messageOf(error)}); run again, or restore the file`, {
      cause: error,
    });
  }
}
