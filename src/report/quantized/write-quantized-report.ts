import { writeFileAtomically } from "../../core/atomic-file.ts";
import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { renderQuantizedReport } from "./render-quantized-report.ts";

/**
 * Renders the report of a quantized file and replaces the file at `path` with it, atomically.
 *
 * @throws UserError that names the file when it cannot be written.
 */
export const writeQuantizedReport = (record: QuantizedRecord, path: string): void =>
  writeFileAtomically(path, renderQuantizedReport(record));
