import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, removeParts } from "../base/atomic-file.ts";
import { UsageError, UserError } from "../base/errors.ts";
import { explainFileError } from "../base/file-errors.ts";
import { shortenList } from "../base/shorten.ts";
import { changedSettings, describeChange, mayChangeOnResume } from "../config/changes.ts";
import { acquireLock, type RunLock } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { clearRun, holdsRun, openRunDirectory, runFiles } from "../runs/run-directory.ts";
import type { Plan } from "./plan.ts";
import { recordOf } from "./run-state.ts";
import { filesOfRun, sweepFiles } from "./sweep-folder.ts";
import { readState, type SweepState } from "./sweep-state.ts";

export interface OpenedSweep {
  /** What an earlier session has left; null where there was none. */
  readonly before: SweepState | null;
  /** Held by this process: nobody else works on this sweep. */
  readonly lock: RunLock;
}

export interface OpenOptions {
  readonly resume: boolean;
  readonly force: boolean;
  readonly runner: SweepState["runner"];
}

/**
 * Makes the folder of a sweep where there is none, and locks it.
 *
 * @throws UsageError when it holds a run, or a sweep and neither `resume` nor `force` says what to do with it, or runs
 * of the plan with other settings; UserError when it cannot be made, or another process works on it.
 */
export function openSweep(folder: string, plan: Plan, { resume, force, runner }: OpenOptions): OpenedSweep {
  if (existsSync(join(folder, recordFile)))
    throw new UsageError(`${folder} holds a single run, not a sweep: choose another folder with --out`);
  try {
    makeFolder(join(folder, "runs"));
  } catch (error) {
    throw new UserError(`cannot create the sweep's folder ${folder}: ${explainFileError(error)}`, { cause: error });
  }
  const lock = acquireLock(folder, { force });
  try {
    removeParts(folder);
    const anew = force && !resume;
    const before = readState(folder);
    if (anew || runner === "local") refuseSubmitted(folder, before);
    const begun = plan.runs.filter(({ name }) => existsSync(filesOfRun(folder, name).folder));
    if (anew) clearSweep(folder, plan);
    if (!resume && !force && (before !== null || begun.length > 0))
      throw new UsageError(`${folder} already holds a sweep: use --resume to continue it, or --force to start anew`);
    refuseChanges(folder, plan);
    return { before: anew ? null : before, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Tasks that are in Slurm's queue, or were when it was last looked at, write to the same folders. */
function refuseSubmitted(folder: string, before: SweepState | null): void {
  const ids = before?.jobs.map(({ id, name }) => id ?? name) ?? [];
  if (ids.length === 0) return;
  throw new UsageError(
    `${folder} has runs that were submitted to Slurm (${ids.join(", ")}): wait for them with --runner slurm --resume, or end them with scancel and, once squeue shows none, remove ${sweepFiles(folder).state}`,
  );
}

/**
 * Removes what an earlier sweep has left of its runs, those that the plan no longer has too, and of the page that speaks
 * of them; nothing while one is in use.
 */
function clearSweep(folder: string, plan: Plan): void {
  const planned = new Set(plan.runs.map(({ name }) => name));
  const names = readdirSync(join(folder, "runs")).filter(
    (name) => planned.has(name) || holdsRun(filesOfRun(folder, name).folder),
  );
  const locks: RunLock[] = [];
  try {
    for (const name of names)
      locks.push(openRunDirectory(filesOfRun(folder, name).folder, { resume: false, force: true }).lock);
    rmSync(sweepFiles(folder).page, { force: true });
    for (const name of names) clearRun(filesOfRun(folder, name).folder);
  } finally {
    for (const lock of locks) lock.release();
  }
  for (const name of names.filter((name) => !planned.has(name))) removeTraces(filesOfRun(folder, name));
}

/** Removes what else a run of a sweep has, and its folders where nobody has put anything of their own there. */
function removeTraces({ folder, config, log }: ReturnType<typeof filesOfRun>): void {
  for (const path of [config, log, runFiles(folder).events]) rmSync(path, { force: true });
  for (const path of [join(folder, "checkpoints"), folder]) if (readdirSync(path).length === 0) rmdirSync(path);
}

/** A run that goes on, or is done, has the settings that it began with, but for those that may change on its way. */
function refuseChanges(folder: string, plan: Plan): void {
  const refused = plan.runs.flatMap(({ name, config }) => {
    const record = recordOf(filesOfRun(folder, name).folder);
    if (record === null) return [];
    // What training and export were done with, a finished run can no longer change.
    const isDone = record.status === "finished";
    return changedSettings(record.config, config)
      .filter((change) => !mayChangeOnResume(change) || (isDone && /^(training|export)\./.test(change.path)))
      .map((change) => `  run ${name}, which is ${record.status}: ${describeChange(change)}`);
  });
  if (refused.length === 0) return;
  throw new UsageError(
    `${folder} holds runs with other settings:\n${shortenList(refused).join("\n")}\nundo the changes, start all runs anew with --force, or choose another folder with --out`,
  );
}
