import { first } from "../core/elements.ts";
import { shorten } from "../core/shorten.ts";
import { valueText } from "../tasks/metric.ts";
import type { PlannedRun } from "./plan.ts";
import type { RunState } from "./sweep-run-state.ts";

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
    ["run", "status", mainLabel(states), "relative BOPs", "packed", "time"],
    ...states.map(({ name, status, figures }) =>
      figures === null
        ? [name, status, "–", "–", "–", "–"]
        : [
            name,
            status,
            valueText(figures.main, figures.main.value),
            `${figures.relativeBops.toFixed(3)} %`,
            `${(figures.packedBytes / 1000).toFixed(1)} kB`,
            `${figures.seconds.toFixed(0)} s`,
          ],
    ),
  ]);

/** The main metrics' name; several where the runs have several tasks. */
function mainLabel(states: readonly RunState[]): string {
  const labels = new Set(states.flatMap(({ figures }) => figures?.main.label ?? []));
  return labels.size === 0 ? "main metric" : [...labels].join(" or ");
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = first(rows).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
