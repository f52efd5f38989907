import { first } from "../core/elements.ts";
import { shorten } from "../core/shorten.ts";
import type { PlannedRun } from "./plan.ts";
import type { RunState } from "./run-state.ts";

/** Runs and how each differs, a line each. */
export const planTable = (runs: readonly PlannedRun[]): readonly string[] =>
  table([
    ["run", "settings"],
    ...runs.map(({ name, settings }) => [
      name,
      shorten(
        Object.entries(settings)
          .map(([path, value]) => `${path}=${JSON.stringify(value)}`)
          .join(" "),
      ),
    ]),
  ]);

/** What every run came to, a line each. */
export const resultTable = (states: readonly RunState[]): readonly string[] =>
  table([
    ["run", "status", "top-1", "relative BOPs", "packed", "time"],
    ...states.map(({ name, status, figures }) =>
      figures === null
        ? [name, status, "–", "–", "–", "–"]
        : [
            name,
            status,
            `${figures.top1.toFixed(2)} %`,
            `${figures.relativeBops.toFixed(3)} %`,
            `${(figures.packedBytes / 1000).toFixed(1)} kB`,
            `${figures.seconds.toFixed(0)} s`,
          ],
    ),
  ]);

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = first(rows).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
