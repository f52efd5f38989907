import type { RunRecord } from "../../runs/record.ts";
import { significant } from "../page/format.ts";
import { foreign, markup } from "../page/markup.ts";
import { capital, shown } from "../page/metrics.ts";
import type { Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { type RoundingRow, roundingMethods, roundingRows } from "./rounding-rows.ts";

const columns: readonly Column<RoundingRow>[] = roundingMethods.map(([method, title]) => ({
  title,
  kind: "number",
  value: ({ values }) => values.get(method)?.mean ?? null,
  show: ({ metric, values }) => {
    const runs = values.get(method);
    if (runs === undefined) return "–";
    const { mean, count } = runs;
    const value = shown(metric, mean);
    return count === 1 ? value : `${value} (${count} runs)`;
  },
}));

/** The main metric of the post-training methods side by side, for each bit-width; null where no run is of one. */
export function roundingSection(records: readonly RunRecord[]): Section | null {
  const rows = roundingRows(records);
  if (rows.length === 0) return null;
  const labels = new Set(rows.map(({ metric }) => metric.label));
  const name = capital([...labels].join(" or "));
  return {
    id: "rounding",
    title: "Post-training methods side by side",
    body: markup`<p>${name} on the test set of one trained network, quantized without training by each method. Of several runs the mean is shown, with their number.</p>
${table<RoundingRow>({
  id: "rounding-table",
  caption: `${name} of each method by bit-width`,
  columns: [
    { title: "Network", value: ({ task }) => task, show: ({ task }) => foreign(task, 60) },
    { title: "Bits", value: ({ bits }) => bits, show: ({ bits }) => foreign(bits, 80) },
    {
      title: "Relative BOPs",
      kind: "number",
      value: ({ relativeBops }) => relativeBops,
      show: ({ relativeBops }) => `${significant(relativeBops)}\u202f%`,
    },
    {
      title: "Float32",
      kind: "number",
      value: ({ float }) => float,
      show: ({ metric, float }) => shown(metric, float),
    },
    ...columns,
  ],
  rows,
})}`,
  };
}
