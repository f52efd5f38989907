import { first } from "../../core/elements.ts";
import type { RunRecord } from "../../runs/record.ts";
import { bytes, fixed, percent, significant } from "../page/format.ts";
import { type Markup, markup, shorten } from "../page/markup.ts";
import { later, type Section } from "../page/section.ts";
import { wilsonInterval } from "../page/wilson-interval.ts";
import { methodOf } from "../run/method.ts";
import { type Configuration, groupRuns } from "./configurations.ts";
import { type PlottedPoint, paretoFigure } from "./pareto-figure.ts";
import { type PublishedResult, publishedResults } from "./published.ts";
import { runName } from "./runs-section.ts";
import { spreadOf } from "./spread.ts";
import { published } from "./symbols.ts";

/** Accuracy against cost; a section for each network on its data, as others do not compare. */
export function frontSections(configurations: readonly Configuration[]): readonly Section[] {
  const tasks = new Map<string, RunRecord[]>();
  for (const record of configurations.flatMap(({ runs }) => runs)) {
    if (record.result === null) continue;
    const task = `${record.network.name} on ${record.data.name}`;
    tasks.set(task, [...(tasks.get(task) ?? []), record]);
  }
  if (tasks.size === 0) return [{ id: "front", title: "Pareto front", body: later("No run has a result yet.") }];
  return Array.from(tasks, ([task, records], index) => ({
    id: `front-${index + 1}`,
    title: tasks.size === 1 ? "Pareto front" : `Pareto front: ${shorten(task, 60)}`,
    body: plots(records, `front-${index + 1}`),
  }));
}

function plots(records: readonly RunRecord[], id: string): Markup {
  const [{ data, network }] = records as readonly [RunRecord];
  const references = publishedResults(data.name, network.name);
  const configurations = groupRuns(records);
  const own = [...new Set(records.map(methodOf))];
  const point = (cost: (record: RunRecord) => number) => (configuration: Configuration) => pointOf(configuration, cost);
  return markup`<p>Up and to the left is better. Runs of one configuration that differ in their seed are joined by a cross: it reaches from the least to the most, through the mean. The front is of the means: no other configuration here is both cheaper and more accurate. Bit operations are not latency.</p>
<div class="figures">${paretoFigure({
    id: `${id}-bops`,
    title: "Top-1, %, against relative bit operations",
    cost: "relative bit operations, %",
    points: [...configurations.map(point(({ result }) => result!.relativeBops)), ...references.map(reference)],
    methods: references.length > 0 ? [...own, published] : own,
  })}${paretoFigure({
    id: `${id}-bytes`,
    title: "Top-1, %, against packed size",
    cost: "packed weights, kB",
    points: configurations.map(point(({ result }) => result!.bytes.packed / 1000)),
    methods: own,
  })}</div>
${references.length > 0 && markup`<p class="note">Published: ${references.map(({ label, source, top1, relativeBops }, index) => `${index > 0 ? "; " : ""}${label}: ${percent(top1)} at ${significant(relativeBops)}\u202f%, ${source}`)}.</p>`}`;
}

function pointOf({ label, runs }: Configuration, cost: (record: RunRecord) => number): PlottedPoint {
  return {
    label,
    method: methodOf(first(runs)),
    cost: spreadOf(runs.map(cost)),
    top1: spreadOf(runs.map(({ result }) => result!.top1)),
    reference: false,
    runs: runs.map((record) => ({ cost: cost(record), top1: record.result!.top1, mark: markOf(record) })),
  };
}

function markOf(record: RunRecord): PlottedPoint["runs"][number]["mark"] {
  const { top1, relativeBops, bytes: size } = record.result!;
  const [low, high] = wilsonInterval(top1, record.data.testImages);
  return {
    title: shorten(runName(record), 60),
    lines: [
      ["method", shorten(methodOf(record), 40)],
      ["top-1", `${percent(top1)} (${fixed(low)}–${fixed(high)})`],
      ["relative BOPs", `${significant(relativeBops, 5)}\u202f%`],
      ["packed", bytes(size.packed)],
    ],
  };
}

const reference = ({ label, source, relativeBops, top1 }: PublishedResult): PlottedPoint => ({
  label,
  method: published,
  cost: spreadOf([relativeBops]),
  top1: spreadOf([top1]),
  reference: true,
  runs: [
    {
      cost: relativeBops,
      top1,
      mark: {
        title: `${label} (published)`,
        lines: [
          ["top-1", percent(top1)],
          ["relative BOPs", `${significant(relativeBops)}\u202f%`],
          ["source", source],
        ],
      },
    },
  ],
});
