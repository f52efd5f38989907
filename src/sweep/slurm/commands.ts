import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { codeOf, messageOf, UserError } from "../../core/errors.ts";

const execute = promisify(execFile);

async function slurm(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(command, [...args], { maxBuffer: 2 ** 26 });
  return stdout;
}

/** What a command says when it fails. */
const reasonOf = (error: unknown): string => {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return said || messageOf(error);
};

/**
 * Submits a job.
 *
 * @returns its id.
 * @throws UserError when there is no sbatch here, or when it refuses.
 */
export async function submit(args: readonly string[]): Promise<string> {
  try {
    const [id] = (await slurm("sbatch", args)).trim().split(";");
    if (id === undefined || !/^\d+$/.test(id)) throw new Error(`it answers ${JSON.stringify(id)}`);
    return id;
  } catch (error) {
    if (codeOf(error) === "ENOENT") {
      throw new UserError(
        "cannot submit the sweep: there is no sbatch here; start it on a login node of the cluster, or with --runner local",
        { cause: error },
      );
    }
    throw new UserError(`sbatch refuses the sweep: ${reasonOf(error)}; its settings are in sweep.slurm`, {
      cause: error,
    });
  }
}

/** Id of the job of this name in the queue; null where there is none. */
export async function findJob(name: string): Promise<string | null> {
  const ids = await squeue(["--noheader", `--name=${name}`, "--format=%F"]);
  return ids[0]?.trim() ?? null;
}

/**
 * States of the tasks that are in the queue, as RUNNING or PENDING, by job and task: `12_3`. Tasks that have ended are
 * not among them.
 *
 * @throws UserError when the controller cannot be asked.
 */
export async function queuedTasks(jobs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const tasks = new Map<string, string>();
  for (const job of jobs) {
    for (const line of await squeue(["--noheader", "--array", `--jobs=${job}`, "--format=%i|%T"])) {
      const [task, state] = line.trim().split("|");
      if (task && state) tasks.set(task, state);
    }
  }
  return tasks;
}

async function squeue(args: readonly string[]): Promise<readonly string[]> {
  try {
    return (await slurm("squeue", args)).split("\n").filter((line) => line.trim() !== "");
  } catch (error) {
    // A job that ended a while ago is no longer known.
    if (/invalid job id/i.test(reasonOf(error))) return [];
    throw new UserError(`cannot ask Slurm for its queue: ${reasonOf(error)}`, { cause: error });
  }
}

/** How a task ended: `TIMEOUT`, `FAILED`, … with the exit code of its command, or the signal that ended it. */
export interface TaskEnd {
  readonly state: string;
  readonly exitCode: number;
  readonly signal: number;
}

/**
 * How a task that has left the queue ended; null where Slurm does not tell. The controller knows it for some minutes,
 * the accounting for good, where a cluster has one.
 */
export async function endOfTask(task: string): Promise<TaskEnd | null> {
  const controller = await quietly("scontrol", ["--oneliner", "show", "job", task]);
  const known = endIn(/ JobState=(\w+)/.exec(controller), / ExitCode=(\d+):(\d+)/.exec(controller));
  if (known !== null) return known;
  const query = ["--noheader", "--parsable2", "--allocations", `--jobs=${task}`, "--format=State,ExitCode"];
  const accounting = (await quietly("sacct", query)).trim().split("\n").at(-1) ?? "";
  return endIn(/^(\w+)/.exec(accounting), /\|(\d+):(\d+)$/.exec(accounting));
}

/** States of tasks that have not ended: an accounting can be late. */
const unended = new Set(["PENDING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED"]);

function endIn(found: RegExpExecArray | null, code: RegExpExecArray | null): TaskEnd | null {
  const state = found?.[1];
  if (state === undefined || unended.has(state)) return null;
  return { state, exitCode: Number(code?.[1] ?? 0), signal: Number(code?.[2] ?? 0) };
}

/** What a command says; nothing where it fails. */
const quietly = (command: string, args: readonly string[]): Promise<string> => slurm(command, args).catch(() => "");
