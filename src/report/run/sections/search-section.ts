import type { RunRecord } from "../../../runs/record.ts";
import type { SearchRecord } from "../../../runs/search-schema.ts";
import { gainOf, type Metric, mainMetric } from "../../../tasks/metric.ts";
import { barFigure } from "../../charts/bar-figure.ts";
import { duration, integer, significant } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { capital, differenceText, shown } from "../../page/metrics.ts";
import type { Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { policyFigure } from "./policy-figure.ts";
import { rewardFigure } from "./reward-figure.ts";
import { isWithin, type Searched, searchCosts, searchTexts } from "./search-texts.ts";

/** How bit-widths were searched for, and what other searches found; null of methods that do not search. */
export function searchSection({ search, task, times }: RunRecord): Section | null {
  if (search === undefined) return null;
  const metric = mainMetric(task);
  return {
    id: "search",
    title: "Search for bit-widths",
    body: markup`${introduction(search, metric)}
${searcherTable(search, metric, times.searchSeconds ?? {})}
<p class="note">The best of many policies looks better on the images that it was chosen by than on others: what it came to on the test set stands above.</p>
<div class="figures">${rewardFigure(search, metric)}${policyFigure(search, metric)}${layerBits(search)}</div>`,
  };
}

function introduction(search: SearchRecord, metric: Metric): Markup {
  const { images, floatScore, limit, searches, rounded } = search;
  const [own, ...others] = searches;
  const name = own && searchTexts[own.name];
  const budget =
    limit === null
      ? "without a budget: what counts is the main metric squared over the root of the bit operations"
      : `within ${searchCosts(search).text(limit)}${search.unit === "relativeBops" ? " of float32’s bit operations" : ""}`;
  return markup`<p>${name} chose bit-widths ${budget}. Each policy was measured on ${integer(images)} held-out images, weights rounded and nothing trained; in float32 the network has ${shown(metric, gainOf(metric, floatScore))} ${metric.label} there. The network then trains with the best policy of ${name}; ${others.map((other) => searchTexts[other.name]).join(" and ")} had as many measurements.${rounded > 0 && ` ${integer(rounded)} output channels got the next of 2, 4 and 8 bits to train with.`}</p>`;
}

function searcherTable(
  search: SearchRecord,
  metric: Metric,
  seconds: NonNullable<RunRecord["times"]["searchSeconds"]>,
): Markup {
  const { searches, floatScore, limit } = search;
  const costs = searchCosts(search);
  const best = (
    title: string,
    of: (best: NonNullable<Searched["best"]>) => number,
    show: (value: number) => string,
  ): Column<Searched> => ({
    title,
    kind: "number",
    value: ({ best }) => best && of(best),
    show: ({ best }) => (best === null ? "–" : show(of(best))),
  });
  const within = ({ episodes }: Searched) => episodes.filter((policy) => isWithin(search, policy)).length;
  return table<Searched>({
    id: "searches",
    caption: limit === null ? "The best policy of each search" : "The best policy of each search within the budget",
    columns: [
      {
        title: "Search",
        value: ({ name }) => searchTexts[name],
        show: ({ name }) => capital(searchTexts[name]),
        further: [{ title: "Trained with", value: (one) => (one === searches[0] ? "trained with" : null) }],
      },
      best(
        capital(metric.label),
        ({ score }) => gainOf(metric, score),
        (value) => shown(metric, value),
      ),
      best(
        "Against float32",
        ({ score }) => gainOf(metric, score - floatScore),
        (value) => differenceText(metric, value),
      ),
      best(capital(costs.name), ({ cost }) => cost, costs.text),
      ...(limit === null ? [best("Reward", ({ reward }) => reward, significant)] : []),
      best("Found at policy", ({ episode }) => episode + 1, integer),
      { title: "Policies", kind: "number", value: ({ episodes }) => episodes.length },
      ...(limit === null ? [] : [{ title: "Within the budget", kind: "number" as const, value: within }]),
      {
        title: "Time",
        kind: "number",
        value: ({ name }) => seconds[name] ?? null,
        show: ({ name }) => {
          const { [name]: taken } = seconds;
          return taken === undefined ? "–" : duration(taken);
        },
      },
    ],
    rows: searches,
    hidesUniform: true,
  });
}

type Layer = SearchRecord["layers"][number];

/** Of more layers bars are too many to read. */
const chartedLayers = 24;

/** Mean bits that the best policy gives each layer's weights, beside what was aimed at, and bits of what it reads. */
function layerBits({ layers }: SearchRecord): Markup {
  const figures = [
    { name: "goal", of: ({ goal }: Layer) => goal },
    { name: "weights, mean", of: ({ achieved }: Layer) => achieved },
    { name: "activation read", of: ({ activation }: Layer) => activation },
  ].filter(({ of }) => layers.some((layer) => of(layer) !== null));
  const title = "What the best policy gives each layer, bits";
  const note = layers.some(({ goal }) => goal !== null)
    ? "A goal is the mean that the first agent asked for; the widths that the second one chose were then lowered into the budget. Pruned channels count 0."
    : "Pruned channels count 0.";
  if (layers.length <= chartedLayers)
    return barFigure({
      ...{ id: "searched-layers", title, unit: "", category: "layer", note },
      categories: layers.map(({ name }) => name),
      series: figures.map(({ name, of }) => ({ name, values: layers.map(of) })),
    });
  const column = ({ name, of }: (typeof figures)[number]): Column<Layer> => ({
    title: capital(name),
    kind: "number",
    value: of,
    show: (layer) => {
      const bits = of(layer);
      return bits === null ? "–" : significant(bits);
    },
  });
  return markup`${table<Layer>({
    id: "searched-layers",
    caption: title,
    columns: [
      { title: "Layer", value: ({ name }) => name, show: ({ name }) => foreign(name, 40) },
      ...figures.map(column),
    ],
    rows: layers,
    pinned: true,
  })}<p class="note">${note}</p>`;
}
