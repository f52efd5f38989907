import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";

/** A finished run whose record is committed. */
export interface Published {
  readonly record: RunRecord;
  /** The run's or its sweep's configuration in configs/, without `.yaml`. */
  readonly config: string;
}

/**
 * The records of all of a project's, of single runs (reports/NAME) and of those of sweeps (reports/NAME/runs/RUN). Runs of
 * one's own lie beside them, but git knows only these.
 *
 * @returns Paths from the project's folder.
 */
export function publishedRecords(project = "."): readonly string[] {
  const records = ["", "runs/*/"].map((inside) => `:(glob)reports/*/${inside}${recordFile}`);
  return execFileSync("git", ["ls-files", "-z", "--", ...records], { cwd: project, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "");
}

/** All of a project's that have a result. */
export const publishedRuns = (project = "."): readonly Published[] =>
  publishedRecords(project)
    .map((path) => ({ record: readRecord(dirname(join(project, path))), config: path.split("/")[1]! }))
    .filter(({ record }) => record.result !== null);
