import { budgetMet } from "../../runs/budget-met.ts";
import type { RunRecord } from "../../runs/record.ts";
import type { FilterData } from "../browser/data.ts";
import { dataBlock, type Markup, markup, shorten } from "../page/markup.ts";
import { methodOf } from "../run/method-name.ts";
import { granularityName } from "./granularity.ts";

/** Of fewer runs one sees at a glance what is whose. */
const fewestRuns = 3;

type Layer = NonNullable<RunRecord["result"]>["layers"][number];

/** The bit-widths that occur among a run's layers. */
const widthsOf =
  (bitsOf: (layer: Layer) => readonly number[]) =>
  ({ result }: RunRecord): readonly string[] =>
    [...new Set(result?.layers.flatMap(bitsOf))].sort((one, other) => one - other).map((bits) => `${bits} bits`);

const weightBits = ({ weightBits: one, channelBits }: Layer): readonly number[] =>
  channelBits?.filter((bits) => bits > 0) ?? [one];

/** By what runs are picked, and what each has of it: several values where it has tensors of several. */
const fields: readonly { readonly name: string; readonly valuesOf: (record: RunRecord) => readonly string[] }[] = [
  { name: "Method", valuesOf: (record) => [methodOf(record)] },
  { name: "Granularity", valuesOf: (record) => [granularityName(record) ?? []].flat() },
  { name: "Network", valuesOf: ({ network }) => [shorten(network.name, 40)] },
  { name: "Data", valuesOf: ({ data }) => [shorten(data.name, 40)] },
  { name: "With weights of", valuesOf: widthsOf(weightBits) },
  { name: "With activations of", valuesOf: widthsOf(({ inputBits }) => [inputBits]) },
  {
    name: "Budget",
    valuesOf: (record) => {
      const budget = budgetMet(record);
      return budget === null ? [] : [budget.met ? "met" : "not met"];
    },
  },
];

/** Where the page's script puts controls that pick runs, and what it needs for them; null where there is nothing to pick. */
export function filters(records: readonly RunRecord[]): Markup | null {
  if (records.length < fewestRuns) return null;
  const used = fields.flatMap(({ name, valuesOf }) => {
    const values = records.map(valuesOf);
    const options = [...new Set(values.flat())].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    // What all have alike picks nothing.
    const picks = options.some((option) => values.some((own) => !own.includes(option)));
    return picks ? [{ name, options, values }] : [];
  });
  if (used.length === 0) return null;
  const data: FilterData = {
    fields: used.map(({ name, options }) => ({ name, options })),
    runs: records.map((_, run) =>
      used.map(({ options, values }) => (values[run] ?? []).map((value) => options.indexOf(value))),
    ),
  };
  return markup`<div id="filters"></div>${dataBlock("filters-data", data)}`;
}
