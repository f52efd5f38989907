import { writeFileAtomically } from "../../core/atomic-file.ts";
import type { RunRecord } from "../../runs/record.ts";
import { type ComparisonOptions, renderComparison } from "./render-comparison.ts";

/**
 * Renders the comparison of `records` and replaces the file at `path` with it, atomically.
 *
 * @throws UserError that names the file when it cannot be written.
 */
export const writeComparison = (records: readonly RunRecord[], path: string, options: ComparisonOptions = {}): void =>
  writeFileAtomically(path, renderComparison(records, options));
