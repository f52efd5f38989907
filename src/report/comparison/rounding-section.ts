import type { RunRecord } from "../../runs/record.ts";
import { percent, significant } from "../page/format.ts";
import { foreign, markup } from "../page/markup.ts";
import type { Section } from "../page/section.ts";
import { type Column, table } from "../page/table.ts";
import { type RoundingRow, roundingMethods, roundingRows } from "./rounding-rows.ts";

const columns: readonly Column<RoundingRow>[] = roundingMethods.map(([method, title]) => ({
  title,
  kind: "number",
  value: ({ top1 }) => top1.get(method)?.mean ?? null,
  show: ({ top1 }) => {
    const runs = top1.get(method);
    if (runs === undefined) return "–";
    const { mean, count } = runs;
    return count === 1 ? percent(mean) : `${percent(mean)} (${count} runs)`;
  },
}));

/** Top-1 of the post-training methods side by side, for each bit-width; null where no run is of one. */
export function roundingSection(records: readonly RunRecord[]): Section | null {
  const rows = roundingRows(records);
  if (rows.length === 0) return null;
  return {
    id: "rounding",
    title: "Post-training methods side by side",
    body: markup`<p>Top-1 on the test set of one trained network, quantized without training by each method. Of several runs the mean is shown, with their number.</p>
${table<RoundingRow>({
  id: "rounding-table",
  caption: "Top-1 of each method by bit-width",
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
      value: ({ floatTop1 }) => floatTop1,
      show: ({ floatTop1 }) => percent(floatTop1),
    },
    ...columns,
  ],
  rows,
})}`,
  };
}
