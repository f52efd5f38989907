import { join } from "node:path";
import { loadConfig } from "../config/load-config.ts";
import { LiveView } from "../live/live-view.ts";
import { train } from "../runner/train.ts";
import { runCheck } from "./check-command.ts";
import type { Context } from "./context.ts";
import { requireMaxDrop } from "./max-drop.ts";
import { printResult } from "./result.ts";

export interface TrainOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly out?: string;
  /** Says what the run would be, and does nothing. */
  readonly dryRun?: boolean;
  readonly resume: boolean;
  readonly force: boolean;
  /** Serves the growing report on this machine. */
  readonly watch?: boolean;
  /** The port that it is served on; a free one if left out. */
  readonly watchPort?: number;
  /** By how much its main metric may be worse than float32's: exit code 3 where it is by more. */
  readonly maxDrop?: number;
}

/** `train`: configuration in; run directory with checkpoint, record, ONNX file and report out. */
export async function runTrain(options: TrainOptions, context: Context): Promise<void> {
  if (options.dryRun === true) return runCheck(options, context);
  const { set, resume, force, watch = false, watchPort = 0, maxDrop } = options;
  const { config } = loadConfig(options.config, { set: [...set] });
  const { reporter, stop } = context;
  const folder = options.out ?? join("reports", config.name);
  const live = watch ? await LiveView.start({ port: watchPort, reporter }) : null;
  if (live) reporter.info(`the growing report: ${live.url}`);
  try {
    const watched = live && { onRecord: live.show.bind(live), onStep: live.tellStep.bind(live) };
    const record = await context.holdStops(() => train(config, { folder, resume, force, stop, reporter, ...watched }));
    requireMaxDrop(folder, printResult(folder, record, context), maxDrop);
  } finally {
    await live?.end();
  }
}
