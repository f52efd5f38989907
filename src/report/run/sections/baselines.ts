import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { bytes, fixed, percent, points, significant, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { type Column, table } from "../../page/table.ts";
import { wilsonInterval } from "../../page/wilson-interval.ts";
import { methodOf } from "../method.ts";

interface Baseline {
  readonly record: RunRecord;
  readonly result: RunResult;
}

/** The run beside others that it must beat; null where none has a result. */
export function baselineTable(record: RunRecord, baselines: readonly RunRecord[]): Markup | null {
  const { result } = record;
  const rows = [record, ...baselines].flatMap((one): Baseline[] =>
    one.result === null ? [] : [{ record: one, result: one.result }],
  );
  if (result === null || rows.length < 2) return null;
  const number = (
    title: string,
    value: (row: Baseline) => number,
    show: (value: number) => string,
  ): Column<Baseline> => ({
    title,
    kind: "number",
    value,
    show: (row) => show(value(row)),
  });
  return markup`<div class="baselines">${table<Baseline>({
    id: "baselines",
    caption: "Against the baselines",
    columns: [
      { title: "Run", value: ({ record }) => record.name, show: (row) => nameCell(row.record, row.record === record) },
      { title: "Method", value: ({ record }) => methodOf(record), show: (row) => foreign(methodOf(row.record), 40) },
      number("Top-1", ({ result }) => result.top1, percent),
      {
        title: "95\u202f% interval",
        kind: "number",
        value: (row) => wilsonInterval(row.result.top1, row.record.data.testImages)[0],
        show: (row) =>
          wilsonInterval(row.result.top1, row.record.data.testImages)
            .map((end) => fixed(end))
            .join("–"),
      },
      {
        title: "This run’s top-1",
        kind: "number",
        value: (row) => result.top1 - row.result.top1,
        show: (row) => (row.record === record ? "–" : points(result.top1 - row.result.top1)),
      },
      number(
        "Relative BOPs",
        (row) => row.result.relativeBops,
        (value) => `${significant(value)}\u202f%`,
      ),
      number("Packed", (row) => row.result.bytes.packed, bytes),
      {
        title: "This run’s size",
        kind: "number",
        value: (row) => row.result.bytes.packed / result.bytes.packed,
        show: (row) =>
          row.record === record ? "–" : `${times(row.result.bytes.packed / result.bytes.packed)} smaller`,
      },
    ],
    rows,
  })}</div>`;
}

const nameCell = ({ name }: RunRecord, isThis: boolean): Markup =>
  isThis ? markup`${foreign(name, 60)} (this run)` : foreign(name, 60);
