import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../src/core/progress.ts";
import { epochEntry, withEpoch } from "../../src/runner/epoch-entry.ts";
import { newRecord } from "../../src/runner/new-record.ts";
import type { Prepared } from "../../src/runner/prepare.ts";
import { neverStopped } from "../../src/runner/run-context.ts";
import { SavedRun } from "../../src/runner/saved-run.ts";
import { takeSnapshot } from "../../src/training/snapshot.ts";
import { median } from "./measure.ts";

/** Saves a run after each of many epochs, with its own record, tensors and files; gives the milliseconds of each. */
export function savingTimes(prepared: Prepared, epochs: number): readonly number[] {
  const { trainer } = prepared;
  const folder = mkdtempSync(join(tmpdir(), "bayesian-bits-saving-"));
  try {
    const tensors = takeSnapshot(trainer);
    const saved = new SavedRun({
      folder,
      record: newRecord(prepared),
      context: { reporter: silent, stop: neverStopped() },
      publish: () => {},
      imagesFrom: () => [],
      tensors: () => tensors,
    });
    return Array.from({ length: epochs }, (_, index) => {
      const epoch = index + 1;
      const figures = { loss: 1 / epoch, taskLoss: 1 / epoch, complexity: 1 / 3, metrics: { top1: 99 + 1 / epoch } };
      const learningRates = { weights: 1e-3, gates: 1e-3, ranges: 1e-3 };
      const summary = {
        epoch,
        ...figures,
        learningRates,
        waitingForData: 0.1,
        phase: "training" as const,
        priorStrength: 0.1,
      };
      const entry = epochEntry(prepared, summary, { split: "test", taskLoss: 1 / epoch, metrics: { top1: 99 } });
      const started = performance.now();
      saved.record = withEpoch(saved.record, entry, { epochSeconds: 1 / epoch, waitingForData: 0.1, damaged: [] });
      saved.save();
      return performance.now() - started;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Medians of the first and of the last tenth, in a line. */
export function describeSaving(times: readonly number[]): string {
  const tenth = Math.ceil(times.length / 10);
  const [early, late] = [median(times.slice(0, tenth)), median(times.slice(-tenth))];
  return `saving an epoch takes ${early.toFixed(1)} ms among the first ${tenth}, ${late.toFixed(1)} ms among the last of ${times.length}: ${(late / early).toFixed(2)} times`;
}
