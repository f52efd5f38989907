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
 * All of a project's, single runs (reports/NAME) and those of sweeps (reports/NAME/runs/RUN). Runs of one's own lie beside
 * them, but git knows only these.
 */
export function publishedRuns(project = "."): readonly Published[] {
  const records = ["", "runs/*/"].map((inside) => `:(glob)reports/*/${inside}${recordFile}`);
  return execFileSync("git", ["ls-files", "-z", "--", ...records], { cwd: project, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => ({ record: readRecord(dirname(join(project, path))), config: path.split("/")[1]! }))
    .filter(({ record }) => record.result !== null);
}
