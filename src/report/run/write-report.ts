import { writeFileAtomically } from "../../core/atomic-file.ts";
import type { RunRecord } from "../../runs/record.ts";
import { type ReportOptions, renderReport } from "./render-report.ts";

/**
 * Renders the report of `record` and replaces the file at `path` with it, atomically.
 *
 * @throws UserError that names the file when it cannot be written.
 */
export const writeReport = (record: RunRecord, path: string, options: ReportOptions = {}): void =>
  writeFileAtomically(path, renderReport(record, options));
