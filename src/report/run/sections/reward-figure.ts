import type { SearchRecord } from "../../../runs/search-schema.ts";
import type { Metric } from "../../../tasks/metric.ts";
import { lineFigure } from "../../charts/line-figure.ts";
import { lowerFence } from "../../charts/lower-fence.ts";
import { integer } from "../../page/format.ts";
import type { Markup } from "../../page/markup.ts";
import { capital } from "../../page/metrics.ts";
import { isWithin, type Searched, searchTexts } from "./search-texts.ts";

/** The reward of every policy within the budget, and the best so far of each search. */
export function rewardFigure(search: SearchRecord, { label }: Metric): Markup {
  const { searches, limit } = search;
  const rewards = searches.map(({ episodes }) =>
    episodes.map((policy) => (isWithin(search, policy) ? policy.reward : null)),
  );
  const names = searches.map(({ name }: Searched) => capital(searchTexts[name]));
  const policies = Math.max(0, ...rewards.map(({ length }) => length));
  const isBeyond = rewards.some((values) => values.includes(null));
  const drawn = rewards.flat().filter((reward) => reward !== null);
  const least = lowerFence(drawn);
  const below = drawn.filter((reward) => least !== null && reward < least).length;
  const reward =
    limit === null
      ? `The reward is log(${label}² / √bit operations).`
      : `The reward is the difference to float32, scaled: above 0 a policy does better.${isBeyond ? " Policies beyond the budget, as those that greedy search begins with, have none here." : ""}`;
  return lineFigure({
    id: "rewards",
    title: "Reward",
    unit: "",
    category: "policy",
    categories: Array.from({ length: policies }, (_, index) => String(index + 1)),
    stepped: true,
    dots: names.length,
    series: [
      ...rewards.map((values, index) => ({ name: `${names[index]}, best so far`, values: bestSoFar(values) })),
      ...rewards.map((values, index) => ({ name: `${names[index]}, each`, values })),
    ],
    ...(least !== null && { least }),
    note: `${reward}${below > 0 ? ` ${integer(below)} far below stand at the edge.` : ""}`,
  });
}

function bestSoFar(rewards: readonly (number | null)[]): readonly (number | null)[] {
  let best: number | null = null;
  return rewards.map((reward) => {
    if (reward !== null && (best === null || reward > best)) best = reward;
    return best;
  });
}
