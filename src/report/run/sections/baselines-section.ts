import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { differenceInterval } from "../../../tasks/difference-interval.ts";
import { mainMetric, mainValue } from "../../../tasks/metric.ts";
import { methodMark } from "../../charts/method-marks.ts";
import { bytes, significant, times } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import {
  capital,
  differenceIntervalText,
  differenceText,
  intervalOf,
  intervalText,
  shown,
} from "../../page/metrics.ts";
import { type Column, table } from "../../page/table.ts";
import { methodOf } from "../method-name.ts";

interface Baseline {
  readonly record: RunRecord;
  readonly result: RunResult;
}

/** The run beside others that it must beat; null where none has a result. */
export function baselineTable(record: RunRecord, baselines: readonly RunRecord[]): Markup | null {
  const { result } = record;
  const metric = mainMetric(record.task);
  const rows = [record, ...baselines].flatMap((one): Baseline[] =>
    one.result === null || mainMetric(one.task).key !== metric.key ? [] : [{ record: one, result: one.result }],
  );
  if (result === null || rows.length < 2) return null;
  const own = mainValue(record.task, result.metrics);
  const mainOf = (row: Baseline) => mainValue(row.record.task, row.result.metrics);
  const interval = (row: Baseline) => intervalOf(metric, mainOf(row), row.record.data.testImages);
  const intervals: Column<Baseline> = {
    title: "95\u202f% interval",
    kind: "number",
    value: (row) => interval(row)?.[0] ?? null,
    show: (row) => intervalText(interval(row)),
  };
  const differenceOf = (row: Baseline) =>
    row.record === record
      ? null
      : differenceInterval(own, mainOf(row), [record.data.testImages, row.record.data.testImages]);
  const differences: Column<Baseline> = {
    title: "Its 95\u202f% interval, unpaired",
    kind: "number",
    value: (row) => differenceOf(row)?.[0] ?? null,
    show: (row) => differenceIntervalText(metric, differenceOf(row)),
  };
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
      { title: "Method", value: ({ record }) => methodOf(record), show: (row) => methodMark(methodOf(row.record)) },
      number(capital(metric.label), mainOf, (value) => shown(metric, value)),
      ...(metric.isShare ? [intervals] : []),
      {
        title: `This run’s ${metric.label}`,
        kind: "number",
        value: (row) => own - mainOf(row),
        show: (row) => (row.record === record ? "–" : differenceText(metric, own - mainOf(row))),
      },
      ...(metric.isShare ? [differences] : []),
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
