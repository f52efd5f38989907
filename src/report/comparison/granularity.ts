import type { RunRecord, RunResult } from "../../runs/record.ts";
import { significant } from "../page/format.ts";
import type { Column } from "../page/table.ts";
import { meanOf, resultBits } from "../page/tensor-bits.ts";

/** What learns a bit-width of a weight, and how marks tell it from others on the page. */
export interface Granularity {
  /** `tensor`, `8 channels`, `channel`. */
  readonly name: string;
  /** How much of a mark is filled: the finer, the less. */
  readonly filled: number;
}

/** null of methods that learn no widths, and where all runs on the page that learn some do it alike. */
export type GranularityOf = (record: RunRecord) => Granularity | null;

/** Output channels that learn a width together, all of a tensor: infinitely many; null of methods that learn none. */
function channelsOf({ config: { method } }: RunRecord): number | null {
  if (method.name !== "bayesian-bits") return null;
  const { granularity } = method;
  return granularity === "tensor" ? Number.POSITIVE_INFINITY : granularity === "channel" ? 1 : granularity.group;
}

/** What learns a bit-width in a run; null of methods that learn none. */
export function granularityName(record: RunRecord): string | null {
  const channels = channelsOf(record);
  if (channels === null) return null;
  return channels === 1 ? "channel" : Number.isFinite(channels) ? `${channels} channels` : "tensor";
}

/** Tells the runs of a page apart by what learns their bit-widths. */
export function granularities(records: readonly RunRecord[]): GranularityOf {
  const all = [...new Set(records.flatMap((record) => channelsOf(record) ?? []))];
  if (all.length < 2) return () => null;
  // A channel is empty, a tensor full, whichever others there are.
  const levels = [...new Set([1, ...all, Number.POSITIVE_INFINITY])].sort((one, other) => (one < other ? -1 : 1));
  return (record) => {
    const [channels, name] = [channelsOf(record), granularityName(record)];
    if (channels === null || name === null) return null;
    return { name, filled: levels.indexOf(channels) / (levels.length - 1) };
  };
}

/** Mean bits of the kept channels, over the layers by the parameters that are left of them. */
export function meanWeightBits({ layers, parameters }: RunResult): number {
  const sum = layers.reduce((sum, layer) => sum + layer.parameters * meanOf(resultBits(layer)), 0);
  return parameters.kept === 0 ? 0 : sum / parameters.kept;
}

/** What learns a bit-width, and what it came to; nothing where the runs do not differ in it. */
export function granularityColumns(records: readonly RunRecord[]): readonly Column<RunRecord>[] {
  const of = granularities(records);
  if (records.every((record) => of(record) === null)) return [];
  return [
    { title: "Granularity", value: granularityName, show: (record) => granularityName(record) ?? "–" },
    {
      title: "Mean weight bits",
      kind: "number",
      value: ({ result }) => result && meanWeightBits(result),
      show: ({ result }) => (result === null ? "–" : significant(meanWeightBits(result))),
    },
  ];
}

/** What the mean is of, where a column has it. */
export const granularityNote = (records: readonly RunRecord[]): string =>
  granularityColumns(records).length === 0
    ? ""
    : "Mean bits are those of the kept channels, over the layers by their parameters. ";
