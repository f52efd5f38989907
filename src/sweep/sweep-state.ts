import { existsSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { messageOf, UserError } from "../core/errors.ts";
import { listOf } from "../core/list-schema.ts";
import { parseJson } from "../core/parse-json.ts";
import { readWholeFile } from "../core/read-file.ts";
import { sweepFiles } from "./sweep-folder.ts";
import { runState } from "./sweep-run-state.ts";

/** Version of the file's shape; a reader refuses others. */
const version = 1;

const job = z.object({
  name: z.string().describe("in Slurm's queue; no other job has it"),
  id: z.string().nullable().describe("null: submitted, but the answer was not seen"),
  runs: z.array(z.string()).describe("names of its tasks' runs, task 0 first"),
  logBytes: z
    .array(z.int().nonnegative())
    .default([])
    .describe("of each run's log when it was submitted: what its task says comes behind"),
});

/** What sweep.json holds: the plan, and where each of its runs stands. */
const sweepState = z.object({
  format: z.literal("bayesian-bits-sweep"),
  version: z.literal(version),
  name: z.string(),
  runner: z.enum(["local", "slurm"]),
  runs: listOf(runState),
  jobs: listOf(job).describe("job arrays that were submitted to Slurm"),
});

export type SweepState = z.infer<typeof sweepState>;
export type SlurmJob = z.infer<typeof job>;

export const newState = (
  name: string,
  runner: SweepState["runner"],
  { runs, jobs }: Pick<SweepState, "runs" | "jobs">,
): SweepState => ({ format: "bayesian-bits-sweep", version, name, runner, runs, jobs });

/**
 * Reads and checks sweep.json; null where there is none.
 *
 * @throws UserError that names the file and the remedy when it is damaged, or another version's.
 */
export function readState(folder: string): SweepState | null {
  const { state: path } = sweepFiles(folder);
  if (!existsSync(path)) return null;
  const remedy = "remove the file: what its runs have reached stands in their own folders";
  try {
    const parsed = sweepState.safeParse(parseJson(readWholeFile(path).toString("utf8")));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join(".") || "the whole file"}: ${issue?.message}`);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}; ${remedy}`, { cause: error });
  }
}

export const writeState = (folder: string, state: SweepState): void =>
  writeFileAtomically(sweepFiles(folder).state, `${JSON.stringify(state, null, 1)}\n`);
