import { existsSync } from "node:fs";
import { configHash } from "../config/canonical.ts";
import { writeComparison } from "../report/comparison/write-comparison.ts";
import type { RunRecord } from "../runs/record.ts";
import { runFiles } from "../runs/run-directory.ts";
import type { Plan, PlannedRun } from "./plan.ts";
import { filesOfRun, sweepFiles } from "./sweep-folder.ts";
import { type Outcome, outcomeOf, type RunState, recordOf } from "./sweep-run-state.ts";
import { newState, type SlurmJob, type SweepState, writeState } from "./sweep-state.ts";

/** A sweep at work: its plan, where each run stands, and the page that compares those that have ended. */
export class Sweep {
  readonly folder: string;
  readonly plan: Plan;
  readonly #states: Map<string, RunState>;
  readonly #records = new Map<string, RunRecord>();
  readonly #runner: SweepState["runner"];
  #jobs: readonly SlurmJob[];

  /** @param jobs Job arrays that an earlier session has submitted. */
  constructor(folder: string, plan: Plan, runner: SweepState["runner"], jobs: readonly SlurmJob[] = []) {
    this.folder = folder;
    this.plan = plan;
    this.#runner = runner;
    this.#jobs = jobs;
    this.#states = new Map(
      plan.runs.map(({ name, settings, config }) => {
        const outcome = this.#observe(name);
        return [name, { name, settings, configHash: configHash(config), ...outcome }];
      }),
    );
    this.#save();
    this.#writePage();
  }

  get states(): readonly RunState[] {
    return [...this.#states.values()];
  }

  /** @throws Error (a defect) of a name that the plan does not have. */
  stateOf(name: string): RunState {
    const state = this.#states.get(name);
    if (state === undefined) throw new Error(`the sweep ${this.plan.name} has no run ${name}`);
    return state;
  }

  get jobs(): readonly SlurmJob[] {
    return this.#jobs;
  }

  /** Runs that are not finished yet. */
  get unfinished(): readonly PlannedRun[] {
    return this.plan.runs.filter(({ name }) => this.stateOf(name).status !== "finished");
  }

  setJobs(jobs: readonly SlurmJob[]): void {
    this.#jobs = jobs;
    this.#save();
  }

  setRunning(name: string): void {
    this.#set(name, { status: "running", error: null, figures: null });
  }

  /** What the run's folder says now: its record alone tells whether it is finished. */
  observe(name: string): Outcome {
    return this.#observe(name);
  }

  /** A run has ended, in this way; sweep.json and the page follow. */
  setEnded(name: string, outcome: Outcome): RunState {
    this.#set(name, outcome);
    this.#writePage();
    return this.stateOf(name);
  }

  #set(name: string, outcome: Outcome): void {
    this.#states.set(name, { ...this.stateOf(name), ...outcome });
    this.#save();
  }

  #observe(name: string): Outcome {
    const record = recordOf(filesOfRun(this.folder, name).folder);
    if (record !== null) this.#records.set(name, record);
    return outcomeOf(record);
  }

  #save(): void {
    const { folder, states, jobs } = this;
    writeState(folder, newState(this.plan.name, this.#runner, { runs: [...states], jobs: [...jobs] }));
  }

  /** In the plan's order, so that the same runs give the same page, whichever ended first. */
  #writePage(): void {
    const entries = this.plan.runs.flatMap(({ name }) => {
      const record = this.#records.get(name);
      return record === undefined ? [] : [{ name, record }];
    });
    if (entries.length === 0) return;
    const links = new Map(entries.map(({ name, record }) => [record, this.#linkTo(name)]));
    writeComparison(
      entries.map(({ record }) => record),
      sweepFiles(this.folder).page,
      { title: this.plan.name, linkOf: (record) => links.get(record) ?? null },
    );
  }

  #linkTo(name: string): string | null {
    const { report } = runFiles(filesOfRun(this.folder, name).folder);
    return existsSync(report) ? `runs/${encodeURIComponent(name)}/report.html` : null;
  }
}
