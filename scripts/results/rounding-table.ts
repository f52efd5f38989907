import { roundingMethods, roundingRows } from "../../src/report/comparison/rounding-rows.ts";
import { shown } from "../../src/report/page/metrics.ts";
import type { Metric } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import type { Published } from "./published.ts";

/** The main metric of the methods that do not train, side by side, for each network and bit-width. */
export function roundingTable(published: readonly Published[]): string {
  const rows = roundingRows(published.map(({ record }) => record)).map(({ task, bits, metric, float, values }) => [
    task,
    bits,
    shown(metric, float),
    ...roundingMethods.map(([method]) => meanText(metric, values.get(method))),
  ]);
  return markdownTable(["network", "bits", "float32", ...roundingMethods.map(([, title]) => title)], rows);
}

const meanText = (metric: Metric, runs: { readonly mean: number; readonly count: number } | undefined): string => {
  if (runs === undefined) return "";
  const { mean, count } = runs;
  return count === 1 ? shown(metric, mean) : `${shown(metric, mean)} (${count} runs)`;
};
