import { resolve } from "node:path";
import type { SlurmConfig } from "../../config/sections/slurm-settings.ts";
import { quoted } from "../../core/shell-word.ts";
import { filesOfRun, sweepFiles } from "../sweep-folder.ts";

/** What a job array is made of. */
export interface ArrayJob {
  /** In Slurm's queue. */
  readonly name: string;
  readonly folder: string;
  /** Each trains a run by a command. */
  readonly tasks: readonly { readonly run: string; readonly command: readonly string[] }[];
  /** Folder that the runs' relative paths are seen from. */
  readonly workingFolder: string;
  readonly slurm: SlurmConfig;
}

/**
 * The script that Slurm runs for every task: it becomes that task's run. So the signals of Slurm reach the run itself,
 * which saves and ends; the task that takes its place, or is requeued, goes on from there.
 */
export function jobScript({ folder, tasks, slurm }: ArrayJob): string {
  const cases = tasks.map(({ run, command }, index) => {
    const log = quoted(resolve(filesOfRun(folder, run).log));
    return `  ${index}) exec ${command.map(quoted).join(" ")} >>${log} 2>&1 ;;`;
  });
  return [
    "#!/bin/bash -l",
    ...slurm.modules.map((module) => `module load ${quoted(module)} || exit 1`),
    'case "$SLURM_ARRAY_TASK_ID" in',
    ...cases,
    "esac",
    "",
  ].join("\n");
}

/** The arguments of sbatch that submit it: no shell reads them. */
export function submission({ name, folder, tasks, workingFolder, slurm }: ArrayJob): readonly string[] {
  const { partition, account, time, memoryGiB, cpus, gpus, concurrency, saveSeconds, options } = slurm;
  const { script, slurmLogs } = sweepFiles(folder);
  // In these names % begins a pattern.
  const output = `${resolve(slurmLogs).replaceAll("%", "%%")}/%A_%a.log`;
  return [
    "--parsable",
    `--job-name=${name}`,
    `--array=0-${tasks.length - 1}${concurrency === undefined ? "" : `%${concurrency}`}`,
    `--output=${output}`,
    "--open-mode=append",
    `--chdir=${workingFolder}`,
    "--requeue",
    `--signal=B:TERM@${saveSeconds}`,
    "--ntasks=1",
    `--cpus-per-task=${cpus}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    ...(memoryGiB === undefined ? [] : [`--mem=${Math.ceil(memoryGiB * 1024)}M`]),
    ...(gpus === undefined ? [] : [`--gres=gpu:${gpus}`]),
    ...options,
    resolve(script),
  ];
}
