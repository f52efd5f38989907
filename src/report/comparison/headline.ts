import { first } from "../../core/elements.ts";
import type { RunRecord, RunResult } from "../../runs/record.ts";
import { gainOf } from "../../tasks/metric.ts";
import { bytes, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { intervalOf, intervalText, shown } from "../page/metrics.ts";
import { resultText, resultValue, sharedMetric } from "./main-metric.ts";
import { runName } from "./runs-section.ts";

interface Finished {
  readonly record: RunRecord;
  readonly result: RunResult;
  /** By its task's main metric. */
  readonly value: number;
}

/**
 * The ends of what was reached: best by the main metric, where the runs share one; fewest bit operations; smallest.
 * Null while no run has a result.
 */
export function comparisonHeadline(records: readonly RunRecord[]): Markup | null {
  const finished = records.flatMap((record): Finished[] => {
    const { result } = record;
    const value = resultValue(record);
    return result === null || value === null ? [] : [{ record, result, value }];
  });
  if (finished.length === 0) return null;
  const best = (gain: (one: Finished) => number) =>
    finished.reduce((most, one) => (gain(one) > gain(most) ? one : most), first(finished));
  const item = (name: string, value: string, { record }: Finished, note: string) =>
    markup`<div><dt>${name}</dt><dd><strong>${value}</strong> <span>${foreign(runName(record), 60)}${note}</span></dd></div>\n`;
  const metric = sharedMetric(finished.map(({ record }) => record));
  const main = () => {
    if (metric === null) return null;
    const one = best(({ value }) => gainOf(metric, value));
    const interval = intervalOf(metric, one.value, one.record.data.testImages);
    const name = `${metric.better === "higher" ? "Highest" : "Lowest"} ${metric.label}`;
    return item(
      name,
      shown(metric, one.value),
      one,
      interval === null ? "" : `, 95\u202f% interval ${intervalText(interval)}`,
    );
  };
  const cheap = best(({ result }) => -result.relativeBops);
  const small = best(({ result }) => -result.bytes.packed);
  const at = ({ record }: Finished) => ` at ${resultText(record, metric !== null)}`;
  return markup`<dl class="headline">
${main()}
${item("Fewest bit operations", `${significant(cheap.result.relativeBops)}\u202f%`, cheap, at(cheap))}
${item("Smallest", bytes(small.result.bytes.packed), small, at(small))}</dl>`;
}
