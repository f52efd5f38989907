import { UsageError } from "../base/errors.ts";
import { writeReport } from "../report/write-report.ts";
import { readRecord } from "../runs/record-file.ts";
import { runFiles } from "../runs/run-directory.ts";
import type { Context } from "./context.ts";

export interface ReportOptions {
  /** Run folders, each with a record.json. */
  readonly runs: readonly string[];
  /** Where the report goes; beside the record unless given. */
  readonly out?: string | undefined;
}

/**
 * `bayesian-bits report RUN… [--out FILE]`: reads each run's record, writes its report and prints the report's path.
 *
 * @throws UsageError when --out would have several runs overwrite one file, or no run is named; UserError when a
 * record cannot be read or a report cannot be written.
 */
export function runReport({ runs, out }: ReportOptions, context: Pick<Context, "print">): void {
  if (runs.length === 0)
    throw new UsageError("report: no run folder given; name one, as in `bayesian-bits report reports/mnist`");
  if (runs.length > 1 && out !== undefined) {
    throw new UsageError(
      `report --out ${out}: ${runs.length} runs would be written to one file; leave --out away (each report goes into its run's folder) or report one run at a time`,
    );
  }
  for (const run of runs) {
    const path = out ?? runFiles(run).report;
    writeReport(readRecord(run), path);
    context.print(path);
  }
}
