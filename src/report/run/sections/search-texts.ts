import type { SearchName, SearchRecord } from "../../../runs/search-schema.ts";
import { bytes, significant } from "../../page/format.ts";

export type Searched = SearchRecord["searches"][number];
export type MeasuredPolicy = Searched["episodes"][number];

/** What searches are called in sentences and tables. */
export const searchTexts: { readonly [Name in SearchName]: string } = {
  autoq: "AutoQ",
  haq: "HAQ",
  random: "random search",
  greedy: "greedy search",
};

/** How policies' costs are drawn and told. */
interface SearchCosts {
  readonly name: string;
  /** Name of an axis, and the cost on it. */
  readonly axis: string;
  readonly onAxis: (cost: number) => number;
  readonly text: (cost: number) => string;
}

const costsBy: { readonly [Unit in SearchRecord["unit"]]: SearchCosts } = {
  relativeBops: {
    name: "relative BOPs",
    axis: "relative bit operations, %",
    onAxis: (cost) => cost,
    text: (cost) => `${significant(cost)}\u202f%`,
  },
  sizeBytes: {
    name: "packed",
    axis: "packed weights, kB",
    onAxis: (cost) => cost / 1000,
    text: (cost) => bytes(Math.round(cost)),
  },
};

export const searchCosts = ({ unit }: Pick<SearchRecord, "unit">): SearchCosts => costsBy[unit];

/** Whether the budget allows a policy; without one, all are. */
export const isWithin = ({ limit }: Pick<SearchRecord, "limit">, { cost }: Pick<MeasuredPolicy, "cost">): boolean =>
  limit === null || cost <= limit;
