import { randomBytes } from "node:crypto";
import type { SlurmConfig } from "../../config/sections/slurm-settings.ts";
import { makeFolder, writeFileAtomically } from "../../core/atomic-file.ts";
import { codeOf } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { logSize } from "../log-error.ts";
import type { PlannedRun } from "../plan.ts";
import { failureLineOf } from "../result-line.ts";
import type { Sweep } from "../sweep.ts";
import { filesOfRun, sweepFiles } from "../sweep-folder.ts";
import type { SlurmJob } from "../sweep-state.ts";
import { trainingCommand } from "../training-command.ts";
import { findJob, queuedTasks, submit } from "./commands.ts";
import { endedTask, type Task } from "./ended-task.ts";
import { type ArrayJob, jobScript, submission } from "./job-script.ts";
import { watchTasks } from "./watch-tasks.ts";

export interface SlurmOptions {
  /** Command and arguments that start this program, here and on the cluster's nodes. */
  readonly program: readonly [string, ...string[]];
  readonly slurm: SlurmConfig;
  /** Submits and returns. */
  readonly detach: boolean;
  readonly stop: AbortSignal;
  readonly reporter: Reporter;
}

/**
 * Submits the runs that are neither finished nor in the queue as one job array, then watches until all have ended.
 *
 * @throws UserError when Slurm cannot be asked or refuses, or when `stop` is heard: the runs go on then.
 */
export async function runOnSlurm(sweep: Sweep, options: SlurmOptions): Promise<void> {
  const { slurm, detach, stop, reporter } = options;
  const tasks = await takeUpTasks(sweep, reporter);
  const rest = sweep.unfinished.filter(({ name }) => !tasks.has(name));
  if (rest.length > 0) {
    const job = await submitRuns(sweep, rest, options);
    for (const [index, name] of job.runs.entries()) tasks.set(name, taskOf(job, index));
    reporter.info(`submitted ${rest.length} ${rest.length === 1 ? "run" : "runs"} as job array ${job.id}`);
  }
  if (detach) reporter.info("sweep --resume watches them, and writes the page");
  else await watchTasks(sweep, tasks, { pollSeconds: slurm.pollSeconds, stop, reporter });
}

type SubmittedJob = SlurmJob & { readonly id: string };

const taskOf = ({ id, logBytes }: SubmittedJob, index: number): Task => ({
  id: `${id}_${index}`,
  logBytes: logBytes[index] ?? 0,
});

/**
 * Tasks of earlier sessions that are in the queue, by their run; jobs that have none there are forgotten. Warns of runs
 * that have failed since they were last looked at.
 */
async function takeUpTasks(sweep: Sweep, reporter: Reporter): Promise<Map<string, Task>> {
  const jobs: SubmittedJob[] = [];
  for (const job of sweep.jobs) {
    const id = job.id ?? (await findJob(job.name));
    if (id !== null) jobs.push({ ...job, id });
  }
  const queue = await queuedTasks(jobs.map(({ id }) => id));
  const tasksOf = (job: SubmittedJob) => job.runs.map((name, index) => [name, taskOf(job, index)] as const);
  const isQueued = ({ id }: Task) => queue.has(id);
  // A run that was submitted again is in several jobs: its last task counts.
  const last = new Map(jobs.flatMap(tasksOf));
  const tasks = new Map<string, Task>();
  for (const { name } of sweep.unfinished) {
    const task = last.get(name);
    if (task === undefined) continue;
    if (isQueued(task)) tasks.set(name, task);
    else await warnOfFailure(sweep, name, task, reporter);
  }
  sweep.setJobs(jobs.filter((job) => tasksOf(job).some(([, task]) => isQueued(task))));
  return tasks;
}

async function warnOfFailure(sweep: Sweep, name: string, task: Task, reporter: Reporter): Promise<void> {
  const { outcome, log } = await endedTask(sweep.folder, name, task);
  if (outcome.status === "failed") reporter.warn(failureLineOf({ ...sweep.stateOf(name), ...outcome }, [log]));
}

async function submitRuns(
  sweep: Sweep,
  planned: readonly PlannedRun[],
  { program, slurm }: SlurmOptions,
): Promise<SubmittedJob> {
  const { folder, plan, jobs: earlier } = sweep;
  const { script, logs, slurmLogs } = sweepFiles(folder);
  const runs = planned.map(({ name }) => name);
  // A task that is requeued after its node has failed finds a lock of that node: Slurm runs no task twice at a time.
  const tasks = planned.map((run) => ({
    run: run.name,
    command: trainingCommand(program, folder, { run, force: true }),
  }));
  const name = `${plan.name.replace(/[^\w.-]/g, "_")}-${randomBytes(4).toString("hex")}`;
  const array: ArrayJob = { name, folder, tasks, workingFolder: process.cwd(), slurm };
  makeFolder(slurmLogs);
  makeFolder(logs);
  writeFileAtomically(script, jobScript(array));
  // Told first: whoever is killed before the answer comes finds the job by its name.
  const logBytes = runs.map((run) => logSize(filesOfRun(folder, run).log));
  sweep.setJobs([...earlier, { name, id: null, runs, logBytes }]);
  try {
    const job = { name, id: await submit(submission(array)), runs, logBytes };
    sweep.setJobs([...earlier, job]);
    return job;
  } catch (error) {
    // A controller that answers too late may have taken it all the same: then its name stays, and it is found by that.
    if (await isRefused(name)) sweep.setJobs(earlier);
    throw error;
  }
}

/** Whether Slurm says that it has no such job; false where it does not answer. */
const isRefused = (name: string): Promise<boolean> =>
  findJob(name).then(
    (id) => id === null,
    (error: Error) => codeOf(error.cause) === "ENOENT",
  );
