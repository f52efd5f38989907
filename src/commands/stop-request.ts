import { type ExitCode, exitCodes } from "../core/errors.ts";

/** How SIGINT and SIGTERM reach a command. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #exit: (code: ExitCode) => void;
  #held = 0;

  /** @param exit Ends the program. */
  constructor(exit: (code: ExitCode) => void) {
    this.#exit = exit;
  }

  /** Aborted by the first signal that comes while it is held. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** While `work` runs, the first signal only aborts `signal`, so that the work can save. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#held++;
    try {
      return await work();
    } finally {
      this.#held--;
    }
  }

  /** Hears a signal: the first asks to stop where that is held; a second, or one that nobody holds, ends the program. */
  hear(signal: "SIGINT" | "SIGTERM"): "asked" | "ended" {
    if (this.#held > 0 && !this.signal.aborted) {
      this.#controller.abort(signal);
      return "asked";
    }
    this.#exit(signal === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated);
    return "ended";
  }
}
