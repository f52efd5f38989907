import { z } from "zod";
import { count, positive } from "./numbers.ts";
import { slurm } from "./slurm-settings.ts";

/** Where the runs of a sweep may take place. */
export const sweepRunners = ["local", "slurm"] as const;

/** More runs than this are a mistake in a grid, not a plan. */
export const mostRuns = 10_000;

const path = z
  .string()
  .max(200)
  .regex(
    /^(?!(.*\.)?(__proto__|constructor|prototype)(\.|$))\w+(\.\w+)*$/,
    "the path of a setting, as method.prior.strength",
  );

const bounds = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "two numbers, the smaller one first");

const distribution = z.union([
  z.strictObject({ choice: z.array(z.unknown()).min(1).describe("one of these values, all equally likely") }),
  z.strictObject({ uniform: bounds.describe("a number between these two") }),
  z.strictObject({
    logUniform: bounds
      .refine(([low]) => low > 0, "numbers above 0")
      .describe("a number between these two whose logarithm is uniform"),
  }),
  z.strictObject({
    int: z
      .tuple([z.int(), z.int()])
      .refine(([low, high]) => low < high, "two integers, the smaller one first")
      .describe("an integer from the first to the second"),
  }),
]);

const random = z.strictObject({
  count: count.max(mostRuns).describe("runs to draw"),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(1).describe("what the draws are a function of"),
  settings: z.record(path, distribution).describe("what to draw, by the path of the setting; numbers to four digits"),
});

const local = z
  .strictObject({
    workers: count.optional().describe("runs at a time; without it, as many as the cores have room for"),
    threads: count.default(1).describe("engine.threads of each run, unless its own are given"),
    memoryGiB: positive.optional().describe("memory of all runs together; without it, what is available"),
    runMemoryGiB: positive.optional().describe("memory of one run; without it, an estimate from its network"),
  })
  .prefault({})
  .describe("how runs share this machine");

/** Many runs in one file: grid, list and random runs come one after the other. */
export const sweep = z
  .strictObject({
    grid: z
      .record(path, z.array(z.unknown()).min(1))
      .optional()
      .describe("values by the path of a setting, as method.prior.strength: [0.1, 1]; a run for every combination"),
    list: z
      .array(z.record(path, z.unknown()))
      .min(1)
      .optional()
      .describe("a run for each entry, which gives settings by path; name names the run"),
    random: random.optional().describe("runs whose settings are drawn"),
    runner: z.enum(sweepRunners).default("local").describe("where the runs take place, unless --runner says"),
    local,
    slurm,
  })
  .refine(({ grid, list, random }) => grid !== undefined || list !== undefined || random !== undefined, {
    message: "a grid, a list or random runs",
  })
  .describe("many runs that start from the settings beside it");

export type SweepConfig = z.output<typeof sweep>;
export type Distribution = z.output<typeof distribution>;
