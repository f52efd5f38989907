import { first } from "../../core/elements.ts";
import type { RunRecord, RunResult } from "../../runs/record.ts";
import { bytes, fixed, percent, significant } from "../page/format.ts";
import { foreign, type Markup, markup } from "../page/markup.ts";
import { wilsonInterval } from "../page/wilson-interval.ts";
import { runName } from "./runs-section.ts";

interface Finished {
  readonly record: RunRecord;
  readonly result: RunResult;
}

/** The ends of what was reached: most accurate, fewest bit operations, smallest; null while no run has a result. */
export function comparisonHeadline(records: readonly RunRecord[]): Markup | null {
  const finished = records.flatMap((record) => (record.result ? [{ record, result: record.result }] : []));
  if (finished.length === 0) return null;
  const best = (value: (one: Finished) => number) =>
    finished.reduce((most, one) => (value(one) > value(most) ? one : most), first(finished));
  const accurate = best(({ result }) => result.top1);
  const cheap = best(({ result }) => -result.relativeBops);
  const small = best(({ result }) => -result.bytes.packed);
  const [low, high] = wilsonInterval(accurate.result.top1, accurate.record.data.testImages);
  const item = (name: string, value: string, { record, result }: Finished, note: string) =>
    markup`<div><dt>${name}</dt><dd><strong>${value}</strong> <span>${foreign(runName(record), 60)}${note === "" ? ` at ${percent(result.top1)}` : `, ${note}`}</span></dd></div>\n`;
  return markup`<dl class="headline">
${item("Highest top-1", percent(accurate.result.top1), accurate, `95\u202f% interval ${fixed(low)}–${fixed(high)}`)}
${item("Fewest bit operations", `${significant(cheap.result.relativeBops)}\u202f%`, cheap, "")}
${item("Smallest", bytes(small.result.bytes.packed), small, "")}</dl>`;
}
