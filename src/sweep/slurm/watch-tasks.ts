import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { failureLineOf, lineOf } from "../result-line.ts";
import type { Sweep } from "../sweep.ts";
import { queuedTasks } from "./commands.ts";
import { endedTask, type Task } from "./ended-task.ts";

export interface WatchOptions {
  readonly pollSeconds: number;
  readonly stop: AbortSignal;
  readonly reporter: Reporter;
}

/**
 * Looks at the queue and at the runs' records until none of the tasks is left; sweep.json and the page follow.
 *
 * @param tasks By the run's name.
 * @throws UserError when `stop` is heard: the tasks go on.
 */
export async function watchTasks(
  sweep: Sweep,
  tasks: ReadonlyMap<string, Task>,
  { pollSeconds, stop, reporter }: WatchOptions,
): Promise<void> {
  const total = sweep.plan.runs.length;
  const watched = new Map(tasks);
  const jobs = [...new Set([...tasks.values()].map(({ id }) => id.replace(/_.*$/, "")))];
  // Files of another machine can be seen late: a run counts as unfinished only at the second look.
  const gone = new Set<string>();
  reporter.progress.start("sweep", total);
  try {
    while (watched.size > 0) {
      const queue = await look(jobs, reporter);
      for (const [name, task] of queue === null ? [] : [...watched]) {
        if (follow(sweep, name, queue?.get(task.id))) continue;
        const observed = sweep.observe(name);
        if (observed.status !== "finished" && !gone.has(name)) {
          gone.add(name);
          continue;
        }
        watched.delete(name);
        const ended = observed.status === "finished" ? null : await endedTask(sweep.folder, name, task);
        const state = sweep.setEnded(name, ended?.outcome ?? observed);
        const count = `[${total - watched.size}/${total}]`;
        if (state.status === "failed")
          reporter.warn(`${count} ${failureLineOf(state, ended === null ? [] : [ended.log])}`);
        else reporter.info(`${count} ${lineOf(state)}`);
      }
      const running = sweep.states.filter(({ status }) => status === "running").length;
      reporter.progress.update(total - watched.size, `${running} running, ${watched.size - running} waiting`);
      if (watched.size > 0) await pause(pollSeconds, { stop, jobs });
    }
    sweep.setJobs([]);
  } finally {
    reporter.progress.stop();
  }
}

/** Whether the task is still in the queue; a running one is noted. */
function follow(sweep: Sweep, name: string, state: string | undefined): boolean {
  if (state === undefined) return false;
  const isNew = sweep.stateOf(name).status !== "running";
  if (state === "RUNNING" && isNew) sweep.setRunning(name);
  return true;
}

/** A controller that does not answer for a while ends nothing. */
async function look(jobs: readonly string[], reporter: Reporter): Promise<ReadonlyMap<string, string> | null> {
  try {
    return await queuedTasks(jobs);
  } catch (error) {
    reporter.warn(`${messageOf(error)}; asking again`);
    return null;
  }
}

async function pause(
  seconds: number,
  { stop, jobs }: { readonly stop: AbortSignal; readonly jobs: readonly string[] },
): Promise<void> {
  try {
    await sleep(1000 * seconds, undefined, { signal: stop });
  } catch {
    const exitCode = stop.reason === "SIGINT" ? exitCodes.interrupted : exitCodes.terminated;
    const message = `stopped watching by ${stop.reason}: the runs go on; watch again with --resume, or end them with scancel ${jobs.join(" ")}`;
    throw new UserError(message, { exitCode });
  }
}
