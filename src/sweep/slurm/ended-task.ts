import { lastError } from "../log-error.ts";
import { filesOfRun, slurmLogOf } from "../sweep-folder.ts";
import type { Outcome } from "../sweep-run-state.ts";
import { endOfTask } from "./commands.ts";
import { outcomeOfTask } from "./task-outcome.ts";

/** A run's task in Slurm. */
export interface Task {
  /** As `12_3`. */
  readonly id: string;
  /** Of the run's log when the task was submitted: what it says comes behind. */
  readonly logBytes: number;
}

/** What became of a run whose task has left the queue without finishing it, and the log that tells more. */
export async function endedTask(
  folder: string,
  name: string,
  { id, logBytes }: Task,
): Promise<{ readonly outcome: Outcome; readonly log: string }> {
  const { log } = filesOfRun(folder, name);
  const said = lastError(log, logBytes);
  // What the run did not live to say, Slurm does.
  return { outcome: outcomeOfTask(await endOfTask(id), said), log: said === null ? slurmLogOf(folder, id) : log };
}
