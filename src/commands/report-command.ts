import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { UsageError } from "../core/errors.ts";
import { placesBeside } from "../ptq/quantized-record.ts";
import { quantizedRecordsIn, readQuantizedRecord } from "../ptq/read-quantized-record.ts";
import { writeComparison } from "../report/comparison/write-comparison.ts";
import { writeQuantizedReport } from "../report/quantized/write-quantized-report.ts";
import { writeReport } from "../report/run/write-report.ts";
import { keepBaselines, readBaselines } from "../runs/baselines.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord } from "../runs/record-file.ts";
import { runFiles } from "../runs/run-directory.ts";
import type { Context } from "./context.ts";

export interface ReportOptions {
  /** Run folders, each with a record.json, or those of quantized files. */
  readonly runs: readonly string[];
  /** Of one run: where its report goes, beside its record unless given. Of several: where their comparison goes. */
  readonly out?: string | undefined;
  /** Run folders that the reports hold the runs' figures against; without any, those that they were last held against. */
  readonly baseline?: readonly string[];
  /** False: the reports are held against no run any more. */
  readonly baselines?: boolean;
}

/**
 * `bayesian-bits report RUN… [--baseline RUN… | --no-baselines] [--out FILE]`: reads each run's record, writes its report
 * and prints the report's path (--json: a line for machines); of several runs with --out, writes their comparison instead.
 *
 * @throws UsageError when no run is named; UserError when a record cannot be read or a report cannot be written.
 */
export function runReport(
  { runs, out, baseline = [], baselines: keeps = true }: ReportOptions,
  context: Pick<Context, "json" | "print" | "reporter">,
): void {
  const { reporter } = context;
  if (runs.length === 0)
    throw new UsageError("report: no run folder given; name one, as in `bayesian-bits report reports/mnist`");
  const quantized = [...runs, ...baseline].find((run) => quantizedRecordsIn(run).length > 0);
  if (quantized !== undefined && (baseline.length > 0 || (runs.length > 1 && out !== undefined))) {
    throw new UsageError(
      `report: ${quantized} is the folder of a quantized file, which is compared with no other: report it alone`,
    );
  }
  if (runs.length > 1 && out !== undefined) {
    compare([...runs, ...baseline], out, context);
    return;
  }
  const given = baseline.map(readRecord);
  for (const run of runs) {
    const records = quantizedRecordsIn(run);
    if (records.length > 0) {
      reportQuantized(run, records, { out, ...context });
      continue;
    }
    const path = out ?? runFiles(run).report;
    const record = readRecord(run);
    if (out === undefined && (baseline.length > 0 || !keeps)) keepBaselines(run, baseline);
    const baselines = given.length > 0 || !keeps ? given : readBaselines(run, reporter.warn);
    writeReport(record, path, { baselines });
    tell(run, path, context);
  }
}

/** The path of a report; with `--json` a line for machines. */
const tell = (run: string, report: string, { json, print }: Pick<Context, "json" | "print">): void =>
  print(json ? JSON.stringify({ run, report }) : report);

/** A report for each record of a folder of quantized files. */
function reportQuantized(
  folder: string,
  names: readonly string[],
  { out, ...context }: Pick<Context, "json" | "print"> & { readonly out: string | undefined },
): void {
  if (out !== undefined && names.length > 1) {
    throw new UsageError(
      `report: ${folder} holds ${names.length} quantized files, and --out names one report: leave it out`,
    );
  }
  for (const name of names) {
    const path = out ?? join(folder, placesBeside(name).report);
    writeQuantizedReport(readQuantizedRecord(folder, name), path);
    tell(folder, path, context);
  }
}

/** Each run links to its own report, where it has one. */
function compare(runs: readonly string[], out: string, { json, print }: Pick<Context, "json" | "print">): void {
  const links = new Map<RunRecord, string>();
  const records = [...new Set(runs)].map((run) => {
    const record = readRecord(run);
    const { report } = runFiles(run);
    if (existsSync(report))
      links.set(record, relative(dirname(out), report).split(sep).map(encodeURIComponent).join("/"));
    return record;
  });
  writeComparison(records, out, { linkOf: (record) => links.get(record) ?? null });
  print(json ? JSON.stringify({ runs, comparison: out }) : out);
}
