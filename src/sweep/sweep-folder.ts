import { join } from "node:path";

/** The files of a sweep (docs/sweeps.md). */
export const sweepFiles = (folder: string) => ({
  state: join(folder, "sweep.json"),
  page: join(folder, "index.html"),
  script: join(folder, "slurm", "job.sh"),
  /** Where the runs' logs are. */
  logs: join(folder, "logs"),
  /** Where Slurm writes what it says itself. */
  slurmLogs: join(folder, "slurm"),
});

/** What Slurm itself said of a task, as `12_3`. */
export const slurmLogOf = (folder: string, task: string): string => join(sweepFiles(folder).slurmLogs, `${task}.log`);

/** The files of one of its runs. */
export const filesOfRun = (folder: string, name: string) => ({
  folder: join(folder, "runs", name),
  config: join(folder, "configs", `${name}.yaml`),
  log: join(sweepFiles(folder).logs, `${name}.log`),
});
