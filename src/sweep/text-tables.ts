import { lookup } from "../core/lookup.ts";
import { shorten } from "../core/shorten.ts";
import { textTable } from "../core/text-table.ts";
import { timeText } from "../core/time-text.ts";
import type { SweptRun } from "../preview/check-run.ts";
import { valueText } from "../tasks/metric.ts";
import type { PlannedRun } from "./plan.ts";
import type { RunState } from "./sweep-run-state.ts";

/**
 * Runs and how each differs, a line each.
 *
 * @param checked What each would take, where that is known.
 */
export const planTable = (
  runs: readonly PlannedRun[],
  checked: ReadonlyMap<string, SweptRun> | null = null,
): readonly string[] => {
  const row = (name: string, time: string, settings: string) => [name, ...(checked === null ? [] : [time]), settings];
  return textTable([
    row("run", "time", "settings"),
    ...runs.map(({ name, settings }) => {
      const changes = Object.entries(settings).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
      return row(name, checked === null ? "" : sweptTime(lookup(checked, name)), shorten(changes.join(" ")));
    }),
  ]);
};

/** Expected; a dash where nothing tells, or where a run cannot begin. */
const sweptTime = (run: SweptRun): string => ("seconds" in run && run.seconds !== null ? timeText(run.seconds) : "–");

/** What every run came to, a line each. */
export const resultTable = (states: readonly RunState[]): readonly string[] =>
  textTable([
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
