import type { Reporter } from "../core/progress.ts";

export interface QuantizeFileOptions {
  /** Where the file and what is known of it go; made where there is none. */
  readonly folder: string;
  /** Replaces what the folder holds. */
  readonly force?: boolean;
  /** Goes on with a run in the folder that was stopped. */
  readonly resume?: boolean;
  readonly reporter?: Reporter;
  /** Aborted: the run ends with a {@link StoppedError} after what it is at; what was found is kept for `resume`. */
  readonly stop?: AbortSignal;
}
