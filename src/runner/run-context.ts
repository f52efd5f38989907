import type { Reporter } from "../core/progress.ts";
import type { StepProgress } from "./step-progress.ts";

/** What a run has besides its configuration. */
export interface RunContext {
  readonly reporter: Reporter;
  /** Aborted: the run saves after this step, and ends. */
  readonly stop: AbortSignal;
  /** Hears of each training step. */
  readonly onStep?: (progress: StepProgress) => void;
}

/** A signal that nobody aborts. */
export const neverStopped = (): AbortSignal => new AbortController().signal;
