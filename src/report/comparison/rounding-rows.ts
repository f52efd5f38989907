import { first } from "../../core/elements.ts";
import type { RunRecord } from "../../runs/record.ts";
import { type Metric, mainMetric, mainValue } from "../../tasks/metric.ts";
import { methodOf } from "../run/method-name.ts";
import { settingsOf } from "./configurations.ts";
import { spreadOf } from "./spread.ts";

/** The methods that quantize a trained network, in the order of their columns. */
export const roundingMethods = [
  ["nearest", "Nearest"],
  ["adaround", "AdaRound"],
  ["bit-split", "Bit-Split"],
] as const;

export type RoundingMethod = (typeof roundingMethods)[number][0];

/** One trained network quantized to the same bit-widths, from as many images, by several methods. */
export interface RoundingRow {
  readonly task: string;
  /** As configured: `weights 4, activations 8`. */
  readonly bits: string;
  /** Percent. */
  readonly relativeBops: number;
  /** What is compared: the task's main metric. */
  readonly metric: Metric;
  /** Its value of the float32 network. */
  readonly float: number;
  /** Its mean over the runs of each method, and how many they are; absent where there is none. */
  readonly values: ReadonlyMap<RoundingMethod, { readonly mean: number; readonly count: number }>;
}

/** A row for each trained network, its bit-widths and number of images, in order; runs of other methods are passed over. */
export function roundingRows(records: readonly RunRecord[]): readonly RoundingRow[] {
  const groups = new Map<string, { task: string; bits: string; runs: RunRecord[] }>();
  for (const record of records) {
    if (!record.postTraining || record.result === null) continue;
    const task = `${record.network.name} on ${record.data.name}`;
    const bits = bitsOf(record);
    const { floatMetrics, images } = record.postTraining;
    const key = JSON.stringify([task, bits, settingsOf(record.config).get("training.from"), floatMetrics, images]);
    const group = groups.get(key) ?? { task, bits, runs: [] };
    group.runs.push(record);
    groups.set(key, group);
  }
  return [...groups.values()]
    .toSorted((one, other) => (`${one.task} ${one.bits}` < `${other.task} ${other.bits}` ? -1 : 1))
    .map(({ task, bits, runs }) => ({
      task,
      bits,
      relativeBops: first(runs).result!.relativeBops,
      metric: mainMetric(first(runs).task),
      float: mainValue(first(runs).task, first(runs).postTraining!.floatMetrics),
      values: new Map(roundingMethods.flatMap(([method]) => mainOf(runs, method))),
    }));
}

function mainOf(runs: readonly RunRecord[], method: RoundingMethod) {
  const own = runs
    .filter((record) => methodOf(record) === method)
    .map(({ task, result }) => mainValue(task, result!.metrics));
  return own.length === 0 ? [] : ([[method, { mean: spreadOf(own).mean, count: own.length }]] as const);
}

/** The bit-widths as the configuration gives them. */
function bitsOf({ config }: RunRecord): string {
  return Array.from(settingsOf(config))
    .filter(([path, value]) => path.startsWith("method.bits.") && value !== "{}")
    .map(([path, value]) => `${path.slice("method.bits.".length)} ${value.replaceAll('"', "")}`)
    .join(", ");
}
