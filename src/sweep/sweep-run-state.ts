import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../core/errors.ts";
import type { RunRecord } from "../runs/record.ts";
import { readRecord, recordFile } from "../runs/record-file.ts";
import { describeClassification } from "../tasks/classification/description.ts";
import { figureSchema, mainFigure } from "../tasks/metric.ts";

/** What a run came to. */
const figures = z.object({
  main: figureSchema.describe("of the task's metrics, the main one"),
  relativeBops: z.number(),
  packedBytes: z.number(),
  seconds: z.number().describe("of computing, over all sessions of the run"),
});

/** As they were before there were tasks. */
const classifierFigures = figures
  .omit({ main: true })
  .extend({ top1: z.number() })
  .transform(({ top1, ...rest }) => ({ main: mainFigure(describeClassification(0), { top1 }), ...rest }));

/** Where a run of a sweep stands. */
export const runState = z.object({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][^/\\]*$/u, "the name of a run")
    .describe("of its folder too"),
  settings: z.record(z.string(), z.unknown()).describe("how it differs, by path"),
  configHash: z.string(),
  status: z.enum(["planned", "running", "stopped", "failed", "finished"]),
  error: z.string().nullable().describe("why it failed, or what stopped it"),
  figures: z.union([figures, classifierFigures]).nullable(),
});

export type RunState = z.infer<typeof runState>;
export type Outcome = Pick<RunState, "status" | "error" | "figures">;

/** The record of a run's folder; null where there is none yet, or one that cannot be read: training says why. */
export function recordOf(runFolder: string): RunRecord | null {
  if (!existsSync(join(runFolder, recordFile))) return null;
  try {
    return readRecord(runFolder);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** What a record says of a run that nobody works on. */
export function outcomeOf(record: RunRecord | null): Outcome {
  if (record === null) return { status: "planned", error: null, figures: null };
  if (record.status === "finished" && record.result !== null) {
    const { metrics, relativeBops, bytes } = record.result;
    const main = mainFigure(record.task, metrics);
    const { seconds } = record.times;
    return { status: "finished", error: null, figures: { main, relativeBops, packedBytes: bytes.packed, seconds } };
  }
  // A record that says "running" is of a process that was killed.
  return { status: record.status === "failed" ? "failed" : "stopped", error: null, figures: null };
}
