import { writeReport } from "../report/run/write-report.ts";
import { readBaselines } from "../runs/baselines.ts";
import type { RunRecord } from "../runs/record.ts";
import { runFiles } from "../runs/run-directory.ts";

/** Writes a run's own report, held against the baselines that it has. @throws UserError as what it calls. */
export function writeRunReport(folder: string, record: RunRecord, warn: (message: string) => void): void {
  writeReport(record, runFiles(folder).report, { baselines: readBaselines(folder, warn) });
}
