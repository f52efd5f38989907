import { existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { changesSince, describeChange, mayChangeOnResume, mayDifferWhenFinished } from "../config/changes.ts";
import { makeFolder } from "../core/atomic-file.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { removeParts } from "../core/leftovers.ts";
import { shortenList } from "../core/shorten.ts";
import { acquireLock, type RunLock } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { clearRun, openRunDirectory, requireOwnFolder, runFiles } from "../runs/run-directory.ts";
import type { Plan } from "./plan.ts";
import { filesOfRun, sweepFiles } from "./sweep-folder.ts";
import { recordOf } from "./sweep-run-state.ts";
import { readState, type SweepState } from "./sweep-state.ts";

export interface OpenedSweep {
  /** What an earlier session has left; null where there was none. */
  readonly before: SweepState | null;
  /** Runs of an earlier sweep that `force` has removed and the plan does not have. */
  readonly dropped: readonly string[];
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
  requireOwnFolder(folder);
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
    const dropped = anew ? namesBeyond(plan, before) : [];
    if (anew) clearSweep(folder, [...begun.map(({ name }) => name), ...dropped], dropped);
    if (!resume && !force && (before !== null || begun.length > 0))
      throw new UsageError(`${folder} already holds a sweep: use --resume to continue it, or --force to start anew`);
    refuseChanges(folder, plan);
    return { before: anew ? null : before, dropped, lock };
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

/** Runs that the sweep had before and the plan does not; others that lie beside them are a user's. */
function namesBeyond(plan: Plan, before: SweepState | null): readonly string[] {
  const planned = new Set(plan.runs.map(({ name }) => name));
  return before?.runs.map(({ name }) => name).filter((name) => !planned.has(name)) ?? [];
}

/**
 * Removes what an earlier sweep has left of these runs, of those that are dropped every file, and of the page that speaks
 * of them; nothing while one is in use.
 *
 * @throws UserError that names the holder of a run in use, or what cannot be removed.
 */
function clearSweep(folder: string, names: readonly string[], dropped: readonly string[]): void {
  const folders = names.map((name) => filesOfRun(folder, name).folder).filter((run) => existsSync(run));
  const locks: RunLock[] = [];
  try {
    for (const run of folders) locks.push(openRunDirectory(run, { resume: false, force: true }).lock);
    rmSync(sweepFiles(folder).page, { force: true });
    for (const run of folders) clearRun(run);
    for (const { folder: run, config, log } of dropped.map((name) => filesOfRun(folder, name)))
      for (const path of [config, log, runFiles(run).events]) rmSync(path, { force: true });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot clear the sweep's folder ${folder}: ${explainFileError(error)}`, { cause: error });
  } finally {
    for (const lock of locks) lock.release();
  }
  for (const name of dropped) removeEmpty(filesOfRun(folder, name).folder);
}

/** Removes a run's folder, unless there is anything of somebody else's. */
function removeEmpty(run: string): void {
  try {
    for (const path of [dirname(runFiles(run).checkpoint), run]) rmdirSync(path);
  } catch {
    // It is not empty, or not there.
  }
}

/** A run that goes on, or is done, has the settings that it began with, but for those that may change on its way. */
function refuseChanges(folder: string, plan: Plan): void {
  const refused = plan.runs.flatMap(({ name, config }) => {
    const record = recordOf(filesOfRun(folder, name).folder);
    if (record === null) return [];
    const mayDiffer = record.status === "finished" ? mayDifferWhenFinished : mayChangeOnResume;
    return changesSince(record.config, config)
      .filter((change) => !mayDiffer(change))
      .map((change) => `  run ${name}, which is ${record.status}: ${describeChange(change)}`);
  });
  if (refused.length === 0) return;
  throw new UsageError(
    `${folder} holds runs with other settings:\n${shortenList(refused).join("\n")}\nundo the changes, start all runs anew with --force, or choose another folder with --out`,
  );
}
