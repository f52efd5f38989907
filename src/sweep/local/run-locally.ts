import { setTimeout as sleep } from "node:timers/promises";
import { isStopCode, messageOf } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import type { Reporter } from "../../core/progress.ts";
import { livingHolder } from "../../runs/lock.ts";
import { lastError, logSize } from "../log-error.ts";
import type { PlannedRun } from "../plan.ts";
import { failureLineOf, lineOf } from "../result-line.ts";
import type { Sweep } from "../sweep.ts";
import { filesOfRun } from "../sweep-folder.ts";
import type { Outcome } from "../sweep-run-state.ts";
import { trainingCommand } from "../training-command.ts";
import { type Capacity, type Need, runPool } from "./pool.ts";
import { type Exit, type RunProcess, startProcess } from "./run-process.ts";

/** Milliseconds between two looks at a run directory that somebody still uses. */
const LOOK = 200;

export interface LocalOptions {
  /** Command and arguments that start this program. */
  readonly program: readonly [string, ...string[]];
  readonly capacity: Capacity;
  /** What each run takes, by its name. */
  readonly needs: ReadonlyMap<string, Need>;
  /** Takes over locks of other hosts. */
  readonly force: boolean;
  readonly stop: AbortSignal;
  readonly reporter: Reporter;
}

/** Trains all runs that are not finished, in processes of their own, until all have ended or `stop` is heard. */
export async function runLocally(sweep: Sweep, options: LocalOptions): Promise<void> {
  const { capacity, needs, stop, reporter } = options;
  const jobs = sweep.unfinished.map((run) => ({ run, ...lookup(needs, run.name) }));
  const total = sweep.plan.runs.length;
  const shares = new Map<string, number>();
  const processes = new Set<RunProcess>();
  let ended = total - jobs.length;
  const failures: unknown[] = [];
  const endAll = (signal: NodeJS.Signals) => {
    for (const { stop: end } of processes) end(signal);
  };
  const tell = () => {
    const done = ended + [...shares.values()].reduce((sum, share) => sum + share, 0);
    reporter.progress.update(done, `${shares.size} running`);
  };
  // The signals are what stops a sweep.
  const forward = () => endAll(stop.reason as NodeJS.Signals);
  stop.addEventListener("abort", forward);
  reporter.progress.start("sweep", total);
  try {
    await runPool(
      jobs,
      capacity,
      async ({ run }) => {
        shares.set(run.name, 0);
        const outcome = await train(sweep, run, options, {
          progress: (share) => {
            shares.set(run.name, share);
            tell();
          },
          processes,
        });
        shares.delete(run.name);
        ended++;
        try {
          const state = sweep.setEnded(run.name, outcome);
          const count = `[${ended}/${total}]`;
          const { log } = filesOfRun(sweep.folder, run.name);
          if (state.status === "failed") reporter.warn(`${count} ${failureLineOf(state, [log])}`);
          else reporter.info(`${count} ${lineOf(state)}`);
        } catch (error) {
          // The sweep itself has failed, as on a full disk: its runs save and end before its lock is released.
          failures.push(error);
          endAll("SIGTERM");
        }
        tell();
      },
      () => stop.aborted || failures.length > 0,
    );
    if (failures.length > 0) throw failures[0];
  } finally {
    stop.removeEventListener("abort", forward);
    reporter.progress.stop();
  }
}

interface Surroundings {
  readonly progress: (share: number) => void;
  readonly processes: Set<RunProcess>;
}

/** One run in its process. What goes wrong is its outcome: the others go on. */
async function train(
  sweep: Sweep,
  run: PlannedRun,
  { program, force, stop, reporter }: LocalOptions,
  { progress, processes }: Surroundings,
): Promise<Outcome> {
  const { folder, log } = filesOfRun(sweep.folder, run.name);
  try {
    await untilFree(folder, { stop, reporter, name: run.name });
    if (stop.aborted) return sweep.observe(run.name);
    const command = trainingCommand(program, sweep.folder, { run, force });
    sweep.setRunning(run.name);
    const logBytes = logSize(log);
    const started = startProcess(command, { log, progress });
    processes.add(started);
    const exit = await started.ended;
    processes.delete(started);
    const observed = sweep.observe(run.name);
    return observed.status === "finished" ? observed : outcomeAfter(exit, lastError(log, logBytes));
  } catch (error) {
    return { status: "failed", error: messageOf(error), figures: null };
  }
}

/**
 * Waits while a process of an earlier sweep still uses the run's folder: where the sweep is killed, its runs hear the
 * end of their channel, save and end.
 */
async function untilFree(
  folder: string,
  { stop, reporter, name }: Pick<LocalOptions, "stop" | "reporter"> & { readonly name: string },
): Promise<void> {
  for (let told = false; !stop.aborted; ) {
    const holder = livingHolder(folder);
    if (holder === null) return;
    if (!told) reporter.info(`${name}: waiting for ${holder} to save and end`);
    told = true;
    await sleep(LOOK);
  }
}

/** How a run that is not finished has ended. @param said The last error that it told of. */
function outcomeAfter(exit: Exit, said: string | null): Outcome {
  if ("error" in exit) return { status: "failed", error: `cannot be started: ${exit.error}`, figures: null };
  // A program that does not hear signals yet dies of them.
  const stopped = "signal" in exit ? exit.signal === "SIGINT" || exit.signal === "SIGTERM" : isStopCode(exit.code);
  if (stopped) return { status: "stopped", error: null, figures: null };
  if ("signal" in exit) {
    const error = `killed by ${exit.signal}${exit.signal === "SIGKILL" ? ": perhaps for want of memory" : ""}`;
    return { status: "failed", error, figures: null };
  }
  return { status: "failed", error: said ?? `ended with exit code ${exit.code}`, figures: null };
}
