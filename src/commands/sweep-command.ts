import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSweep } from "../config/load-sweep.ts";
import type { SweepConfig } from "../config/sections/sweep-settings.ts";
import { availableMemory } from "../core/available-memory.ts";
import { exitCodes, StoppedError, UsageError, UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { shortenList } from "../core/shorten.ts";
import { timeText } from "../core/time-text.ts";
import { defaultThreads } from "../engine/environment.ts";
import { estimateRuns, inGib, loweredSettings } from "../memory/index.ts";
import { checkRuns, type SweptRun } from "../preview/check-run.ts";
import { whileLocked } from "../runs/lock.ts";
import type { Capacity, Need } from "../sweep/local/pool.ts";
import { runLocally } from "../sweep/local/run-locally.ts";
import { openSweep } from "../sweep/open-sweep.ts";
import { type Plan, planSweep } from "../sweep/plan.ts";
import { runOnSlurm } from "../sweep/slurm/run-on-slurm.ts";
import { Sweep } from "../sweep/sweep.ts";
import { sweepFiles } from "../sweep/sweep-folder.ts";
import type { RunState } from "../sweep/sweep-run-state.ts";
import { planTable, resultTable } from "../sweep/text-tables.ts";
import type { Context } from "./context.ts";

export interface SweepOptions {
  readonly file: string;
  readonly set: readonly string[];
  readonly out?: string;
  readonly runner?: "local" | "slurm";
  readonly dryRun: boolean;
  readonly detach: boolean;
  readonly resume: boolean;
  readonly force: boolean;
}

/** What starts this program: the same Node, the same files. */
const program: readonly [string, ...string[]] = [
  process.execPath,
  ...process.execArgv,
  fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url)),
];

/** `sweep`: many runs from one file, on this machine or on a Slurm cluster, and the page that compares them. */
export async function runSweep(options: SweepOptions, context: Context): Promise<void> {
  const file = loadSweep(options.file, { set: options.set });
  const { runner = file.sweep.runner, out = join("reports", file.name) } = options;
  if (options.detach && runner === "local")
    throw new UsageError("--detach: a local sweep ends with this program; it is for --runner slurm");
  const { local, slurm } = file.sweep;
  const plan = planSweep(file, { threads: runner === "local" ? local.threads : slurm.cpus });
  if (plan.duplicates > 0)
    context.reporter.warn(`${plan.duplicates} runs would be the same as others, and are left out`);
  const workers = workersOf(local);
  if (options.dryRun) {
    const checked = await checkRuns(plan.runs, context.reporter);
    return printPlan(plan, { folder: out, runner, workers, threads: local.threads, checked }, context);
  }
  const limits = runner === "local" ? await localLimits(plan, { ...local, workers }, context) : null;
  const { before, dropped, lock } = openSweep(out, plan, { ...options, runner });
  if (dropped.length > 0)
    context.reporter.info(`removed runs that the file no longer has: ${shortenList(dropped).join(", ")}`);
  await whileLocked(lock, async () => {
    const sweep = new Sweep(out, plan, runner, before?.jobs);
    await context.holdStops(() => {
      const shared = { program, stop: context.stop, reporter: context.reporter };
      return limits === null
        ? runOnSlurm(sweep, { ...shared, slurm, detach: options.detach })
        : runLocally(sweep, { ...shared, ...limits, force: options.force });
    });
    if (!options.detach) conclude(sweep, context);
  });
}

const workersOf = ({ workers, threads }: SweepConfig["local"]): number =>
  workers ?? Math.max(1, Math.floor(defaultThreads() / threads));

/**
 * What there is to share, and what each run takes of it.
 *
 * @throws UsageError that names the runs that need more memory than there is.
 */
async function localLimits(
  plan: Plan,
  { workers, threads, memoryGiB, runMemoryGiB }: SweepConfig["local"] & { readonly workers: number },
  { reporter }: Context,
): Promise<{ readonly capacity: Capacity; readonly needs: ReadonlyMap<string, Need> }> {
  const memory = memoryGiB === undefined ? availableMemory() : memoryGiB * 2 ** 30;
  const estimates = runMemoryGiB === undefined ? await estimateRuns(plan.runs, reporter) : null;
  const needs = new Map(
    plan.runs.map(({ name, config }) => [
      name,
      { threads: config.engine.threads!, memory: estimates?.get(name)?.bytes ?? runMemoryGiB! * 2 ** 30 },
    ]),
  );
  const large = [...needs].filter(([, need]) => need.memory > memory);
  if (large.length > 0) {
    const remedyFor = (name: string): string => {
      const estimate = estimates?.get(name);
      const lowered = estimate && loweredSettings(estimate.stages, memory - estimate.always);
      return lowered ? `: ${lowered}` : "";
    };
    const list = large
      .map(([name, need]) => `${name} (${inGib(need.memory)}${remedyFor(name)})`)
      .slice(0, 10)
      .join(", ");
    throw new UsageError(
      `runs that need more memory than the ${inGib(memory)} of this sweep: ${list}: raise sweep.local.memoryGiB, or say with sweep.local.runMemoryGiB what a run needs`,
    );
  }
  return { capacity: { workers, threads: workers * threads, memory }, needs };
}

interface Place {
  readonly folder: string;
  readonly runner: "local" | "slurm";
  readonly workers: number;
  readonly threads: number;
  /** What each run would take. */
  readonly checked: ReadonlyMap<string, SweptRun>;
}

function printPlan(plan: Plan, place: Place, { json, print }: Context): void {
  const { folder, runner, workers, threads, checked } = place;
  const seconds = plan.runs.map(({ name }) => secondsOf(lookup(checked, name)));
  const total = seconds.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  // Workers do not wait for each other; a cluster's are not known.
  const inAll = runner === "slurm" ? null : Math.max(total / workers, ...seconds.map((one) => one ?? 0));
  if (json) {
    const runs = plan.runs.map(({ name, settings }) => ({ name, settings, ...lookup(checked, name) }));
    print(
      JSON.stringify({ sweep: folder, runner, ...(runner === "local" && { workers, threads }), seconds: inAll, runs }),
    );
    return;
  }
  for (const line of planTable(plan.runs, checked)) print(line);
  for (const { name } of plan.runs) {
    const run = lookup(checked, name);
    if ("problem" in run) print(`${name} cannot begin: ${run.problem}`);
  }
  const where =
    runner === "slurm"
      ? "on Slurm"
      : `${workers} at a time with ${threads} ${threads === 1 ? "thread" : "threads"} each`;
  const time = inAll === null || total === 0 ? "" : `, about ${timeText(inAll)} in all`;
  print(`\n${plan.runs.length} runs, ${where}${time}, into ${folder}`);
}

/** Null: not known. */
const secondsOf = (run: SweptRun): number | null => ("seconds" in run ? run.seconds : null);

/** Figures with the main metric under its own key, as the result of a single run has it. */
function flat(figures: RunState["figures"]): Readonly<Record<string, number>> | null {
  if (figures === null) return null;
  const { main, ...rest } = figures;
  return { [main.key]: main.value, ...rest };
}

/**
 * Prints what all runs came to.
 *
 * @throws UserError when a signal has stopped them, or when not all are finished.
 */
function conclude({ folder, states, plan }: Sweep, { json, print, stop }: Context): void {
  const { page, logs, slurmLogs } = sweepFiles(folder);
  const runs = states.map(({ name, status, error, figures }) => ({ name, status, error, ...flat(figures) }));
  if (json) print(JSON.stringify({ sweep: folder, page, runs }));
  else for (const line of resultTable(states)) print(line);
  const named = (status: string) => states.filter((state) => state.status === status).map(({ name }) => name);
  if (!json && named("finished").length > 0) print(`\n${page}`);
  if (stop.aborted) throw new StoppedError(stop.reason, { folder, hasSaved: true });
  const [failed, finished] = [named("failed"), named("finished")];
  if (finished.length === plan.runs.length) return;
  const shown =
    failed.length === 0
      ? ""
      : `, ${failed.length} failed (${failed.slice(0, 5).join(", ")}${failed.length > 5 ? ", …" : ""})`;
  const places = [logs, slurmLogs].filter((place) => existsSync(place));
  const where = places.length === 0 ? "" : `logs are in ${places.join(" and ")}; `;
  throw new UserError(
    `${finished.length} of ${plan.runs.length} runs are finished${shown}; ${where}--resume goes on with the others`,
    { exitCode: exitCodes.failed },
  );
}
