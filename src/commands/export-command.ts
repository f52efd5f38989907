import { type ExportRunOptions, exportRun } from "../runner/export-run.ts";
import type { Context } from "./context.ts";
import { requireMaxDrop } from "./max-drop.ts";
import { printExport, printResult } from "./result.ts";

export interface ExportCommandOptions extends Pick<ExportRunOptions, "form" | "input" | "saturation"> {
  readonly run: string;
  readonly out?: string;
  /** As of train. */
  readonly maxDrop?: number;
}

/** `export`: ONNX files of a finished run, from its checkpoint and record. */
export async function runExport(
  { run, out, maxDrop, ...chosen }: ExportCommandOptions,
  context: Context,
): Promise<void> {
  const { reporter } = context;
  const { record, written } = await exportRun(run, { ...chosen, ...(out !== undefined && { file: out }), reporter });
  if (!context.json) for (const exported of written) printExport(exported, record, context);
  requireMaxDrop(run, printResult(run, record, context, written), maxDrop);
}
