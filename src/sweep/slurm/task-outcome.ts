import { constants } from "node:os";
import { isStopCode } from "../../core/errors.ts";
import type { Outcome } from "../sweep-run-state.ts";
import type { TaskEnd } from "./commands.ts";

const onwards = "--resume goes on from its last checkpoint";

/** Ends that are no fault of the run, by Slurm's name. */
const interruptions: Readonly<Record<string, string>> = {
  TIMEOUT: `its task reached its time limit: raise sweep.slurm.time; ${onwards}`,
  DEADLINE: `its task reached its deadline; ${onwards}`,
  NODE_FAIL: `the node of its task failed; ${onwards}`,
  BOOT_FAIL: `the node of its task did not start; ${onwards}`,
  PREEMPTED: `its task had to make way for others; ${onwards}`,
  CANCELLED: `its task was cancelled; ${onwards}`,
};

/**
 * What became of a run that is not finished though its task has ended.
 *
 * @param end What Slurm says; null where it does not tell.
 * @param said The last error that the run itself told of; null where it told of none.
 */
export function outcomeOfTask(end: TaskEnd | null, said: string | null): Outcome {
  const failed = (error: string): Outcome => ({ status: "failed", error, figures: null });
  const stopped = (error: string): Outcome => ({ status: "stopped", error, figures: null });
  if (end?.state === "OUT_OF_MEMORY") {
    return failed("its task took more memory than it was given (OUT_OF_MEMORY): raise sweep.slurm.memoryGiB");
  }
  const wasAsked = said?.startsWith("stopped by") ?? false;
  if (said !== null && !wasAsked) return failed(said);
  if (end?.state === "FAILED") {
    if (isStop(end)) return stopped(said ?? `its task was stopped (${howItEnded(end)}); ${onwards}`);
    return failed(`its task failed${said === null ? " without a word" : ""}: ${howItEnded(end)}`);
  }
  const reason = end === null ? undefined : interruptions[end.state];
  if (reason !== undefined) return stopped(reason);
  if (said !== null) return stopped(said);
  return stopped(`its task has left the queue${end === null ? "" : ` (${end.state})`}`);
}

/**
 * Whether a run ended as one does that was asked to save, or died of the asking, as a program does that does not hear
 * signals yet: Slurm calls both FAILED.
 */
const isStop = ({ exitCode, signal }: TaskEnd): boolean =>
  signal > 0 ? signal === constants.signals.SIGINT || signal === constants.signals.SIGTERM : isStopCode(exitCode);

const howItEnded = ({ exitCode, signal }: TaskEnd): string =>
  signal > 0 ? `killed by signal ${signal}` : `exit code ${exitCode}`;
