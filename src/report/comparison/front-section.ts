import { first } from "../../core/elements.ts";
import type { RunRecord } from "../../runs/record.ts";
import { type Metric, mainMetric, mainValue } from "../../tasks/metric.ts";
import type { Mark } from "../browser/data.ts";
import { bytes, significant } from "../page/format.ts";
import { type Markup, markup, shorten } from "../page/markup.ts";
import { capital, intervalOf, intervalText, shown } from "../page/metrics.ts";
import { later, type Section } from "../page/section.ts";
import { methodOf } from "../run/method-name.ts";
import { type Configuration, groupRuns } from "./configurations.ts";
import { type Granularity, type GranularityOf, granularities, meanWeightBits } from "./granularity.ts";
import { paretoFigure } from "./pareto-figure.ts";
import type { PlottedPoint } from "./plotted-point.ts";
import { type PublishedResult, publishedResults } from "./published.ts";
import type { NumberOf } from "./run-numbers.ts";
import { runName } from "./runs-section.ts";
import { spreadOf } from "./spread.ts";

/** The main metric against cost; a section for each network on its data, as others do not compare. */
export function frontSections(records: readonly RunRecord[], numberOf: NumberOf): readonly Section[] {
  const groups = new Map<string, { readonly name: string; readonly metric: Metric; readonly records: RunRecord[] }>();
  for (const record of records) {
    if (record.result === null) continue;
    const name = `${record.network.name} on ${record.data.name}`;
    const metric = mainMetric(record.task);
    const key = JSON.stringify([name, metric.key]);
    const group = groups.get(key) ?? { name, metric, records: [] };
    group.records.push(record);
    groups.set(key, group);
  }
  const granularityOf = granularities(records);
  if (groups.size === 0) return [{ id: "front", title: "Pareto front", body: later("No run has a result yet.") }];
  return Array.from(groups.values(), ({ name, metric, records }, index) => ({
    id: `front-${index + 1}`,
    title: groups.size === 1 ? "Pareto front" : `Pareto front: ${shorten(name, 60)}`,
    body: plots(records, metric, { id: `front-${index + 1}`, numberOf, granularityOf }),
  }));
}

interface Plotted {
  readonly cost: (record: RunRecord) => number;
  readonly numberOf: NumberOf;
  readonly granularityOf: GranularityOf;
}

function plots(
  records: readonly RunRecord[],
  metric: Metric,
  { id, numberOf, granularityOf }: Omit<Plotted, "cost"> & { readonly id: string },
): Markup {
  const { data, network } = first(records);
  const references = publishedResults(data.name, network.name, metric);
  const axis = `${capital(metric.label)}${metric.unit === "" ? "" : `, ${metric.unit},`}`;
  const configurations = groupRuns(records);
  const point = (cost: (record: RunRecord) => number) => (configuration: Configuration) =>
    pointOf(configuration, { cost, numberOf, granularityOf });
  return markup`<p>${metric.better === "higher" ? "Up" : "Down"} and to the left is better. Runs of one configuration that differ in their seed are joined by a cross: it reaches from the least to the most, through the mean.${metric.isShare && " Thin lines are Wilson’s 95\u202f% intervals, of the test images."} The front is of the means: no other configuration here is both cheaper and more accurate. Bit operations are not latency.</p>
<div class="figures">${paretoFigure({
    id: `${id}-bops`,
    title: `${axis} against relative bit operations`,
    cost: "relative bit operations, %",
    points: [
      ...configurations.map(point(({ result }) => result!.relativeBops)),
      ...references.map((one) => reference(one, metric)),
    ],
    metric,
  })}${paretoFigure({
    id: `${id}-bytes`,
    title: `${axis} against packed size`,
    cost: "packed weights, kB",
    points: configurations.map(point(({ result }) => result!.bytes.packed / 1000)),
    metric,
  })}</div>
${references.length > 0 && markup`<p class="note">Published: ${references.map(({ label, source, value, relativeBops }, index) => `${index > 0 ? "; " : ""}${label}: ${shown(metric, value)} at ${significant(relativeBops)}\u202f%, ${source}`)}.</p>`}`;
}

function pointOf({ label, runs }: Configuration, { cost, numberOf, granularityOf }: Plotted): PlottedPoint {
  const mainOf = ({ task, result }: RunRecord) => mainValue(task, result!.metrics);
  return {
    label,
    method: methodOf(first(runs)),
    granularity: granularityOf(first(runs)),
    cost: spreadOf(runs.map(cost)),
    value: spreadOf(runs.map(mainOf)),
    numbers: runs.map(numberOf),
    runs: runs.map((record) => {
      const value = mainOf(record);
      const interval = intervalOf(mainMetric(record.task), value, record.data.testImages);
      return { cost: cost(record), value, interval, mark: markOf(record, granularityOf(record)) };
    }),
  };
}

function markOf(record: RunRecord, granularity: Granularity | null): Mark {
  const { metrics, relativeBops, bytes: size } = record.result!;
  const metric = mainMetric(record.task);
  const value = mainValue(record.task, metrics);
  const interval = intervalOf(metric, value, record.data.testImages);
  return {
    title: shorten(runName(record), 60),
    lines: [
      ["method", shorten(methodOf(record), 40)],
      [metric.label, `${shown(metric, value)}${interval === null ? "" : ` (${intervalText(interval)})`}`],
      ["relative BOPs", `${significant(relativeBops, 5)}\u202f%`],
      ["packed", bytes(size.packed)],
      ...(granularity === null
        ? []
        : ([
            ["granularity", granularity.name],
            ["mean bits of weights", significant(meanWeightBits(record.result!))],
          ] as const)),
    ],
  };
}

const reference = ({ label, source, relativeBops, value }: PublishedResult, metric: Metric): PlottedPoint => ({
  label,
  method: null,
  granularity: null,
  cost: spreadOf([relativeBops]),
  value: spreadOf([value]),
  numbers: [],
  runs: [
    {
      cost: relativeBops,
      value,
      interval: null,
      mark: {
        title: `${label} (published)`,
        lines: [
          [metric.label, shown(metric, value)],
          ["relative BOPs", `${significant(relativeBops)}\u202f%`],
          ["source", source],
        ],
      },
    },
  ],
});
