import { roundingMethods, roundingRows } from "../../src/report/comparison/rounding-rows.ts";
import { percent } from "../../src/report/page/format.ts";
import { markdownTable } from "./markdown-table.ts";
import type { Published } from "./published.ts";

/** Top-1 of the methods that do not train, side by side, for each network and bit-width. */
export function roundingTable(published: readonly Published[]): string {
  const rows = roundingRows(published.map(({ record }) => record)).map(({ task, bits, floatTop1, top1 }) => [
    task,
    bits,
    percent(floatTop1),
    ...roundingMethods.map(([method]) => shown(top1.get(method))),
  ]);
  return markdownTable(["network", "bits", "float32", ...roundingMethods.map(([, title]) => title)], rows);
}

const shown = (runs: { readonly mean: number; readonly count: number } | undefined): string => {
  if (runs === undefined) return "";
  const { mean, count } = runs;
  return count === 1 ? percent(mean) : `${percent(mean)} (${count} runs)`;
};
