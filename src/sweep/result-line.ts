import { existsSync } from "node:fs";
import { figureText } from "../tasks/metric.ts";
import type { RunState } from "./sweep-run-state.ts";

/** A run in one line: what it came to, or what became of it. */
export function lineOf({ name, status, error, figures }: RunState): string {
  if (figures === null) return `${name}: ${status}${error === null ? "" : `: ${error}`}`;
  const { main, relativeBops, seconds } = figures;
  return `${name}: ${figureText(main)} at ${relativeBops.toFixed(3)} % relative BOPs, ${seconds.toFixed(0)} s`;
}

/** The same of a run that has failed, with those of its logs that there are. */
export function failureLineOf(state: RunState, logs: readonly string[]): string {
  const there = logs.filter((log) => existsSync(log));
  return `${lineOf(state)}${there.length === 0 ? "" : ` (${there.join(", ")})`}`;
}
