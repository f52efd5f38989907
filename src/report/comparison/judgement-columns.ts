import { type AgainstFloat, againstFloat, intervalName } from "../../runs/against-float.ts";
import { budgetMet } from "../../runs/budget-met.ts";
import type { RunRecord } from "../../runs/record.ts";
import { signedText } from "../../tasks/metric.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { signedIntervalText } from "../page/metrics.ts";
import type { Column } from "../page/table.ts";

type Columns = readonly Column<RunRecord>[];

/** Each run against float32: that which it began with, or the best of the runs in float32 among them. */
const allAgainst = (records: readonly RunRecord[]): ReadonlyMap<RunRecord, AgainstFloat> =>
  new Map(
    records.flatMap((record) => {
      const against = againstFloat(record, records);
      return against === null ? [] : [[record, against] as const];
    }),
  );

/** The difference to float32 and its interval; nothing where of no run anything in float32 is known. */
export function floatColumns(records: readonly RunRecord[]): Columns {
  const all = allAgainst(records);
  if (all.size === 0) return [];
  const difference: Column<RunRecord> = {
    title: [...all.values()].every(({ metric }) => metric.unit === "%") ? "Against float32, points" : "Against float32",
    kind: "number",
    value: (record) => all.get(record)?.difference ?? null,
    show: (record) => {
      const against = all.get(record);
      return against ? signedText(against.metric, against.difference) : "–";
    },
  };
  const interval: Column<RunRecord> = {
    title: "Its 95\u202f% interval",
    kind: "number",
    value: (record) => all.get(record)?.interval?.[0] ?? null,
    show: (record) => {
      const against = all.get(record);
      return against ? signedIntervalText(against.metric, against.interval) : "–";
    },
  };
  return [...all.values()].some(({ interval }) => interval !== null) ? [difference, interval] : [difference];
}

/** What the difference is to. */
export function floatNote(records: readonly RunRecord[]): Markup | null {
  const all = [...allAgainst(records).values()];
  const [source, ...others] = new Set(all.map(({ source }) => source));
  if (source === undefined) return null;
  const to = others.length === 0 ? foreign(source, 60) : "each run’s own, or the best of the runs in float32";
  const intervals = `; intervals of differences are ${intervalName}: as of independent test sets`;
  return markup`Float32: ${to}${all.some(({ interval }) => interval !== null) && intervals}. `;
}

/** Whether budgets are met; nothing where no run has one. */
export function budgetColumn(records: readonly RunRecord[]): Columns {
  const text = (record: RunRecord) => {
    const budget = budgetMet(record);
    return budget === null ? null : budget.met ? "met" : "not met";
  };
  if (records.every((record) => text(record) === null)) return [];
  return [{ title: "Budget", value: text, show: (record) => text(record) ?? "–" }];
}
