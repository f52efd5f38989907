import { z } from "zod";
import { first } from "../../core/elements.ts";
import { count, positive } from "./numbers.ts";

const word = (pattern: RegExp, what: string) => z.string().max(200).regex(pattern, what);
const name = word(/^[\w.,-]+$/, "a name (letters, digits, . _ - and commas)");

/** What the program itself says to sbatch. */
const own = [
  ...["array", "job-name", "output", "error", "open-mode", "chdir", "parsable", "wrap", "requeue", "no-requeue"],
  ...["signal", "partition", "account", "time", "mem", "cpus-per-task", "gres", "ntasks", "nodes", "wait", "test-only"],
];

const option = z
  .string()
  .max(1000)
  .regex(/^--[a-z][a-z-]*(=[^\p{Cc}]*)?$/u, "an option of sbatch, as --qos=long")
  .refine((text) => !own.includes(first(text.slice(2).split("="))), {
    message: `none of what the sweep sets itself (${own.map((option) => `--${option}`).join(", ")})`,
  });

/** One job array on a Slurm cluster. */
export const slurm = z
  .strictObject({
    partition: name.optional().describe("partition, or several with commas"),
    account: name.optional().describe("account that the jobs are charged to"),
    time: z
      .union([count, word(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, "a time limit, as 02:00:00 or 1-12:00:00")])
      .optional()
      .describe("time limit of a run: minutes, or as 02:00:00 or 1-12:00:00"),
    memoryGiB: positive.optional().describe("memory of a run"),
    cpus: count.default(1).describe("cores of a run, and its engine.threads unless those are given"),
    gpus: z
      .union([count, word(/^\w+:[1-9]\d*$/, "a number of GPUs, or their type and number as a100:1")])
      .optional()
      .describe("GPUs of a run: a number, or type and number as a100:1"),
    modules: z
      .array(word(/^[\w.+/-]+$/, "a module, as cuda/12.4"))
      .default([])
      .describe("environment modules to load"),
    concurrency: count.optional().describe("runs at a time; without it, as many as the cluster has room for"),
    saveSeconds: z.int().min(1).max(3600).default(60).describe("seconds before the time limit at which a run saves"),
    pollSeconds: z.int().min(1).max(3600).default(10).describe("seconds between two looks at the queue"),
    options: z.array(option).default([]).describe("more options of sbatch, as --qos=long"),
  })
  .prefault({})
  .describe("what a run asks of a Slurm cluster");

export type SlurmConfig = z.output<typeof slurm>;
