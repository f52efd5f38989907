import type { Reporter } from "../core/progress.ts";

/** What a run has besides its configuration. */
export interface RunContext {
  readonly reporter: Reporter;
  /** Aborted: the run saves after this step, and ends. */
  readonly stop: AbortSignal;
}

/** A signal that nobody aborts. */
export const neverStopped = (): AbortSignal => new AbortController().signal;
