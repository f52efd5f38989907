import { groupRuns } from "../../src/report/comparison/configurations.ts";
import { publishedResults } from "../../src/report/comparison/published.ts";
import { type Spread, spreadOf } from "../../src/report/comparison/spread.ts";
import { bytes, duration, percent } from "../../src/report/page/format.ts";
import { shown } from "../../src/report/page/metrics.ts";
import type { RunRecord, RunResult } from "../../src/runs/record.ts";
import { mainMetric, mainValue } from "../../src/tasks/metric.ts";
import { markdownTable } from "../markdown-table.ts";
import { metricMean } from "./metric-mean.ts";
import type { Published } from "./published.ts";

/** A row for each configuration, by data set and network, the cheapest network first; the papers' stand among them. */
export function trainingTable(published: readonly Published[]): string {
  const configOf = new Map(published.map(({ record, config }) => [record, config]));
  const tasks = new Map<string, RunRecord[]>();
  for (const { record } of published) {
    if (record.postTraining || isChoosing(record) || isOfCodes(record)) continue;
    const task = `${record.data.name} ${record.network.name}`;
    tasks.set(task, [...(tasks.get(task) ?? []), record]);
  }
  const rows = [...tasks].sort().flatMap(([task, records]) => {
    const [data, network] = task.split(" ") as [string, string];
    const metric = mainMetric(records[0]!.task);
    const groups = groupRuns(records).map(({ runs }) => ({ runs, config: configOf.get(runs[0]!)! }));
    const ours = groups.map((group) => rowOf(group, groups.filter(({ config }) => config === group.config).length > 1));
    const theirs = publishedResults(data, network, metric).map(({ label, source, relativeBops, value }) => ({
      relativeBops,
      cells: [`${label}: ${source}`, `${network} on ${data}`, shown(metric, value), percent(relativeBops), "", ""],
    }));
    return [...ours, ...theirs].sort((a, b) => a.relativeBops - b.relativeBops).map(({ cells }) => cells);
  });
  return markdownTable(
    ["run", "network", mainHead(published), "relative bit operations", "weights", "time of a run"],
    rows,
  );
}

/** The main metrics of all tasks among them. */
const mainHead = (published: readonly Published[]): string =>
  [...new Set(published.map(({ record }) => mainMetric(record.task).label))].join(" or ");

/** What tables of codes take is another table's: bit operations say nothing of it. */
const isOfCodes = ({ network, codebooks }: RunRecord): boolean =>
  network.name === "text-classifier" || codebooks !== undefined;

/** Runs that hold images out to choose by are no results. */
const isChoosing = ({ data }: RunRecord): boolean => data.validationImages > 0;

interface Group {
  /** Of one configuration: they differ in their seeds. */
  readonly runs: readonly RunRecord[];
  readonly config: string;
}

/** @param isOneOfMany Whether its file has several configurations. */
function rowOf({ runs, config }: Group, isOneOfMany: boolean) {
  const { name, data, network, task, times } = runs[0]!;
  const metric = mainMetric(task);
  const results = runs.map(({ result }) => result!);
  const of = (value: (result: RunResult) => number) => spreadOf(results.map(value));
  const relativeBops = of((result) => result.relativeBops);
  const packed = of(({ bytes }) => bytes.packed).mean;
  const { fp32 } = results[0]!.bytes;
  const seeds = runs.map(({ seed }) => seed).toSorted((a, b) => a - b);
  const cells = [
    `[${isOneOfMany ? `${config}, ${withoutSeed(name)}` : config}](../configs/${config}.yaml), ` +
      `${times.epochSeconds.length} epochs, ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`,
    `${network.name} on ${data.name}`,
    metricMean(metric, spreadOf(results.map(({ metrics }) => mainValue(task, metrics)))),
    meanOf(relativeBops, relativeBops.mean < 10 ? 3 : 0),
    packed === fp32 ? bytes(fp32) : `${bytes(packed)} of ${bytes(fp32)}`,
    duration(spreadOf(runs.map(({ times }) => times.seconds)).mean),
  ];
  return { relativeBops: relativeBops.mean, cells };
}

/** A run of a sweep over seeds has them in its name, as relativeBops-0.3_seed-1. */
const withoutSeed = (name: string): string => name.replace(/_seed-\d+$/, "");

/** A percentage, of several runs with the sample standard deviation: `99.30 ± 0.05 %`. */
const meanOf = ({ mean, deviation }: Spread, digits: number): string =>
  deviation === null ? percent(mean, digits) : `${mean.toFixed(digits)} ± ${percent(deviation, digits)}`;
