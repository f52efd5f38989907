import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../../src/core/median.ts";
import { silent } from "../../src/core/progress.ts";
import { epochEntry, withEpoch } from "../../src/runner/epoch-entry.ts";
import { newRecord } from "../../src/runner/new-record.ts";
import type { Prepared } from "../../src/runner/prepare.ts";
import { neverStopped } from "../../src/runner/run-context.ts";
import { SavedRun } from "../../src/runner/saved-run.ts";
import { takeSnapshot } from "../../src/training/snapshot.ts";

/** Milliseconds of a save of two runs, in turns: of one in its first epochs, and of one in its last of many. */
export interface SavingTimes {
  readonly epochs: number;
  readonly early: readonly number[];
  readonly late: readonly number[];
}

/** Saves a run after each of many epochs, with its own record, tensors and files; the last tenth beside a new run's first. */
export function savingTimes(prepared: Prepared, epochs: number): SavingTimes {
  const folder = mkdtempSync(join(tmpdir(), "bayesian-bits-saving-"));
  try {
    const [long, fresh] = [savedRun(prepared, join(folder, "long")), savedRun(prepared, join(folder, "fresh"))];
    const tenth = Math.ceil(epochs / 10);
    for (let epoch = tenth; epoch < epochs; epoch++) long();
    const [early, late]: [number[], number[]] = [[], []];
    for (let epoch = 0; epoch < tenth; epoch++) {
      early.push(fresh());
      late.push(long());
    }
    return { epochs, early, late };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run whose next epoch each call saves; gives the milliseconds that it took. */
function savedRun(prepared: Prepared, folder: string): () => number {
  mkdirSync(folder);
  const tensors = takeSnapshot(prepared.trainer);
  const saved = new SavedRun({
    folder,
    record: newRecord(prepared),
    context: { reporter: silent, stop: neverStopped() },
    publish: () => {},
    imagesFrom: () => [],
    tensors: () => tensors,
  });
  return () => {
    const epoch = saved.record.epochs.length + 1;
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
  };
}

/** Medians of the first and of the last tenth, in a line. */
export function describeSaving({ epochs, early, late }: SavingTimes): string {
  const [first, last] = [median(early), median(late)];
  return `saving an epoch takes ${first.toFixed(1)} ms among the first ${early.length}, ${last.toFixed(1)} ms among the last of ${epochs}, in turns: ${(last / first).toFixed(2)} times`;
}
