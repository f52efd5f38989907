import { basename } from "node:path";
import type { ExportRecord, RunRecord } from "./record.ts";
import { modelFile } from "./run-directory.ts";

/** The file that a run delivers, in the form of its configuration; null where there is none yet. */
export const deliveredExport = ({ exports, config }: Pick<RunRecord, "exports" | "config">): ExportRecord | null =>
  exports.find(({ file }) => file === basename(modelFile("", config.export.form))) ?? null;

/** The record with one more exported file, in place of what it said of a file of that name. */
export function withExport<R extends Pick<RunRecord, "exports">>(record: R, exported: ExportRecord): R {
  const { exports } = record;
  const place = exports.findIndex(({ file }) => file === exported.file);
  return { ...record, exports: place < 0 ? [...exports, exported] : exports.with(place, exported) };
}
