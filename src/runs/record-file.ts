import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { type RunRecord, recordSchema, recordVersion } from "./record.ts";
import { storedRecord } from "./record-versions.ts";

/** The record's file in a run folder. */
export const recordFile = "record.json";

/** The first lines of trouble are enough to see what is damaged. */
const shownIssues = 5;

/** Just enough to tell whose file it is, and how old. */
const headSchema = z.object({ format: z.literal("bayesian-bits-run"), version: z.int() });

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
  const record = storedRecord.safeParse(value);
  if (record.success) return record.data;
  throw new UserError(
    `cannot read ${path}: the record is damaged; run again, or restore the file\n${list(record.error)}`,
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
  const checked = recordSchema.safeParse(record);
  if (!checked.success) throw new Error(`the run's record breaks its schema:\n${list(checked.error)}`);
  writeFileAtomically(join(runFolder, recordFile), `${JSON.stringify(checked.data, null, 1)}\n`);
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

/** One line per issue: `  epochs[2].quantizers.conv1.quantizer.bits: Invalid input`. */
function list({ issues }: z.ZodError): string {
  const lines = issues.slice(0, shownIssues).map(({ path, message }) => `  ${placeOf(path)}: ${message}`);
  const more = issues.length - shownIssues;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "the whole record"
    : path
        .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`))
        .join("");
