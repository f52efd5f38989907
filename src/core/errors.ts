/** Exit codes of the program: the contract with shells and schedulers. */
export const exitCodes = { done: 0, failed: 1, usage: 2, dropped: 3, interrupted: 130, terminated: 143 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * An error that a person can act on: its message says what was being done, the actual value, the place and the
 * remedy. It is printed without a stack trace unless `--verbose` is given. Anything else that is thrown is a defect.
 */
export class UserError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, { exitCode = exitCodes.failed, cause }: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UserError";
    this.exitCode = exitCode;
  }
}

/** The command line or the configuration is wrong (exit code 2). */
export class UsageError extends UserError {
  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    super(message, { exitCode: exitCodes.usage, cause });
    this.name = "UsageError";
  }
}

/** Work has ended, and saved what there was, because it was asked to: its `AbortSignal` was aborted. */
export class StoppedError extends UserError {
  /** @param reason That of the signal; the command line's is "SIGINT" or "SIGTERM". */
  constructor(reason: unknown, { folder, hasSaved }: { readonly folder: string; readonly hasSaved: boolean }) {
    const by = reason === "SIGINT" || reason === "SIGTERM" ? ` by ${reason}` : "";
    const what = hasSaved ? "after saving: continue with --resume" : "before anything was saved: start it again";
    super(`stopped${by} ${what} (${folder})`, {
      exitCode: reason === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted,
      cause: reason,
    });
    this.name = "StoppedError";
  }
}

/** Whether a process that ended with this exit code was stopped so. */
export const isStopCode = (code: number): boolean => code === exitCodes.interrupted || code === exitCodes.terminated;

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The code of an error of the system, as ENOENT; undefined where there is none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Object && "code" in error && typeof error.code === "string" ? error.code : undefined;
