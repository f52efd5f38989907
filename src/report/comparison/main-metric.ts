import type { RunRecord } from "../../runs/record.ts";
import { type Metric, mainMetric, mainValue } from "../../tasks/metric.ts";
import { capital, shown } from "../page/metrics.ts";

/** The main metric of all these runs; null where they have several tasks. */
export function sharedMetric(records: readonly RunRecord[]): Metric | null {
  const [first, ...others] = records.map(({ task }) => mainMetric(task));
  return first !== undefined && others.every(({ key }) => key === first.key) ? first : null;
}

/** At the head of a column: "Top-1"; of runs with several tasks "Main metric". */
export function metricTitle(records: readonly RunRecord[]): string {
  const metric = sharedMetric(records);
  return metric === null ? "Main metric" : capital(metric.label);
}

/** What a run came to by its task's main metric; null where it has no result. */
export const resultValue = ({ result, task }: RunRecord): number | null => result && mainValue(task, result.metrics);

/** The same as text, with its name where another run's is another. */
export function resultText(record: RunRecord, isShared = true): string {
  const value = resultValue(record);
  if (value === null) return "–";
  const metric = mainMetric(record.task);
  return isShared ? shown(metric, value) : `${shown(metric, value)} ${metric.label}`;
}
