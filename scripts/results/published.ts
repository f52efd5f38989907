import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import type { RunRecord } from "../../src/runs/record.ts";
import { readRecord, recordFile } from "../../src/runs/record-file.ts";

/** A finished run whose record is committed. */
export interface Published {
  readonly record: RunRecord;
  /** The run's or its sweep's configuration in configs/, without `.yaml`. */
  readonly config: string;
}

/** All of them, single runs and runs of sweeps. Runs of one's own lie beside them, but git knows only those. */
export const publishedRuns = (): readonly Published[] =>
  execFileSync("git", ["ls-files", "--", `reports/*/${recordFile}`], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "")
    .map((path) => ({ record: readRecord(dirname(path)), config: path.split("/")[1]! }))
    .filter(({ record }) => record.result !== null);
