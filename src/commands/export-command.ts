import type { RunConfig } from "../config/schema.ts";
import { exportRun } from "../runner/export-run.ts";
import type { Context } from "./context.ts";
import { printExport, printResult } from "./result.ts";

export interface ExportCommandOptions extends Partial<RunConfig["export"]> {
  readonly run: string;
  readonly out?: string;
}

/** `export`: an ONNX file of a finished run, from its checkpoint and record. */
export async function runExport({ run, out, ...chosen }: ExportCommandOptions, context: Context): Promise<void> {
  const { reporter } = context;
  const record = await exportRun(run, { ...chosen, ...(out !== undefined && { file: out }), reporter });
  if (!context.json && record.export) printExport(record.export, record, context);
  printResult(run, record, context);
}
