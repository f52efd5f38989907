import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { first } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { placesBeside } from "../ptq/quantized-record.ts";
import { quantizedRecordsIn, readQuantizedRecord } from "../ptq/read-quantized-record.ts";
import { writeComparison } from "../report/comparison/write-comparison.ts";
import { writeQuantizedReport } from "../report/quantized/write-quantized-report.ts";
import { writeReport } from "../report/run/write-report.ts";
import { findRuns } from "../runner/find-runs.ts";
import { keepBaselines, readBaselines } from "../runs/baselines.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord, recordFile } from "../runs/record-file.ts";
import { runFiles } from "../runs/run-directory.ts";
import { sweepFiles } from "../sweep/sweep-folder.ts";
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
 * and prints the report's path (--json: a line for machines); of several runs their comparison too, with --out or of a
 * sweep's folder that alone.
 *
 * @throws UsageError when no run is named; UserError when a record cannot be read or a report cannot be written.
 */
export function runReport(
  { runs, out, baseline = [], baselines: keeps = true }: ReportOptions,
  context: Pick<Context, "json" | "print" | "reporter">,
): void {
  const { reporter } = context;
  const sweep = runs.length === 1 ? sweepAt(first(runs)) : null;
  if (sweep !== null) {
    compare([...sweep.runs, ...baseline], out ?? sweep.page, context);
    return;
  }
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
  if (runs.length > 1 && quantized === undefined) compare([...runs, ...baseline], besideFirst(runs), context);
}

/** The runs of a folder that is none itself, and where their comparison goes; null: it is a run, or holds none. */
function sweepAt(folder: string): { readonly runs: readonly string[]; readonly page: string } | null {
  if (existsSync(join(folder, recordFile)) || !existsSync(folder)) return null;
  const runs = findRuns(folder).flatMap((found) => (found.quantized === null ? [found.folder] : []));
  if (runs.length === 0) return null;
  // Of any other folder the index is somebody else's.
  const isSweep = existsSync(join(folder, "runs"));
  return { runs, page: isSweep ? sweepFiles(folder).page : join(folder, "comparison.html") };
}

/** Names of runs in the name of a comparison. */
const NAMED = 3;

/** Where a comparison goes that nobody names: beside the first run, by the runs' names. */
function besideFirst(runs: readonly string[]): string {
  const names = runs.map((run) => basename(resolve(run)));
  const more = names.length > NAMED ? [`${names.length - NAMED}-more`] : [];
  return join(first(runs), "..", `${[...names.slice(0, NAMED), ...more].join("-and-")}.html`);
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
