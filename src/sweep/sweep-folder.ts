import { join } from "node:path";

/** The files of a sweep (ARCHITECTURE.md, "Sweeps"). */
export const sweepFiles = (folder: string) => ({
  state: join(folder, "sweep.json"),
  page: join(folder, "index.html"),
  script: join(folder, "slurm", "job.sh"),
  /** Where Slurm writes what it says itself. */
  slurmLogs: join(folder, "slurm"),
});

/** The files of one of its runs. */
export const filesOfRun = (folder: string, name: string) => ({
  folder: join(folder, "runs", name),
  config: join(folder, "configs", `${name}.yaml`),
  log: join(folder, "logs", `${name}.log`),
});
