import { first } from "../../src/core/elements.ts";
import { granularityName, meanWeightBits } from "../../src/report/comparison/granularity.ts";
import { spreadOf } from "../../src/report/comparison/spread.ts";
import { bytes, percent } from "../../src/report/page/format.ts";
import type { RunRecord } from "../../src/runs/record.ts";
import { mainMetric, mainValue } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import { metricMean } from "./metric-mean.ts";
import type { Published } from "./published.ts";

/** Runs of sweeps over `method.granularity`, which are named so: a row for each budget and granularity, over their seeds. */
export function granularityTable(published: readonly Published[]): string {
  const groups = new Map<string, RunRecord[]>();
  for (const { record, config } of published) {
    const name = granularityName(record);
    if (!config.endsWith("-granularity") || name === null) continue;
    const key = `${record.data.name} ${budgetOf(record)} ${name}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  const rows = [...groups.values()].map((runs) => {
    const one = first(runs);
    const { network, data, task } = one;
    const metric = mainMetric(task);
    const results = runs.map(({ result }) => result!);
    return [
      `${network.name} on ${data.name}`,
      percent(budgetOf(one), 1),
      granularityName(one) ?? "",
      metricMean(metric, spreadOf(results.map(({ metrics }) => mainValue(task, metrics)))),
      percent(spreadOf(results.map(({ relativeBops }) => relativeBops)).mean, 3),
      spreadOf(results.map(meanWeightBits)).mean.toFixed(1),
      bytes(spreadOf(results.map(({ bytes: { packed } }) => packed)).mean),
      runs
        .map(({ seed }) => seed)
        .toSorted((one, other) => one - other)
        .join(", "),
    ];
  });
  return markdownTable(
    ["network", "budget", "granularity", "top-1", "relative bit operations", "mean weight bits", "weights", "seeds"],
    rows.toSorted((one, other) => `${one}`.localeCompare(`${other}`, "en", { numeric: true })),
  );
}

/** Percent of the 32-bit network's bit operations; 0 where the budget is another. */
function budgetOf({ config: { method } }: RunRecord): number {
  if (method.name !== "bayesian-bits") return 0;
  const { target } = method.prior;
  return target && "relativeBops" in target ? target.relativeBops : 0;
}
