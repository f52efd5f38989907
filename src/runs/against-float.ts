import { differenceInterval } from "../tasks/difference-interval.ts";
import { gainOf, type Metric, mainMetric, mainValue } from "../tasks/metric.ts";
import type { RunRecord } from "./record.ts";

/** A run's main metric held against the same network in float32, on the same test set. */
export interface AgainstFloat {
  readonly metric: Metric;
  /**
   * Whose figure float32's is: the trained network's that was quantized; that of a run of its own; or that of this run
   * after its pretraining.
   */
  readonly reference: "quantized-from" | "baseline" | "pretraining";
  /** The same in words. */
  readonly source: string;
  readonly float: number;
  readonly value: number;
  /** `value - float`, in the metric's unit; percentages in points. */
  readonly difference: number;
  /**
   * Newcombe's 95 % interval of the difference, as of independent test sets: records have no predictions by image, by
   * which a paired one would be narrower. Null of metrics that are no share of the images.
   */
  readonly interval: readonly [number, number] | null;
}

/** Which interval it is, where there is one. */
export const intervalName = "Newcombe’s, unpaired";

type Reference = Pick<AgainstFloat, "reference" | "source" | "float">;

/**
 * A run's result against float32; null where it has no result, is float32 itself, or nothing is known of it in float32.
 *
 * @param others Runs that may be its float32 baseline: the best of those of the same network on the same test set.
 */
export function againstFloat(record: RunRecord, others: readonly RunRecord[]): AgainstFloat | null {
  const { result, task, data } = record;
  if (result === null || isFloat(record)) return null;
  const found = quantizedFrom(record) ?? baseline(record, others) ?? pretraining(record);
  if (found === null) return null;
  const metric = mainMetric(task);
  const value = mainValue(task, result.metrics);
  const { float } = found;
  const interval = metric.isShare ? differenceInterval(value, float, [data.testImages, data.testImages]) : null;
  return { metric, ...found, value, difference: value - float, interval };
}

/** How much worse than float32 it is, in the metric's unit; negative where it is better. */
export const dropOf = ({ metric, difference }: AgainstFloat): number => 0 - gainOf(metric, difference);

const isFloat = ({ config }: RunRecord): boolean => config.method.name === "fp32";

function quantizedFrom({ postTraining, codebooks, task }: RunRecord): Reference | null {
  const { floatMetrics } = postTraining ?? codebooks ?? {};
  if (floatMetrics === undefined) return null;
  const float = mainValue(task, floatMetrics);
  return { reference: "quantized-from", source: "before quantization", float };
}

function baseline(record: RunRecord, others: readonly RunRecord[]): Reference | null {
  const metric = mainMetric(record.task);
  const known = others.flatMap((other): Reference[] => {
    if (other.result === null || !isFloat(other) || placeOf(other) !== placeOf(record)) return [];
    return [{ reference: "baseline", source: other.name, float: mainValue(other.task, other.result.metrics) }];
  });
  const [first, ...rest] = known;
  if (first === undefined) return null;
  return rest.reduce((best, one) => (gainOf(metric, one.float) > gainOf(metric, best.float) ? one : best), first);
}

/** What must be the same for two figures to be of one network on one test set. */
const placeOf = ({ network, data, task }: RunRecord): string =>
  JSON.stringify([
    network.name,
    network.inputShape,
    network.layers.map(({ name, weightShape }) => [name, weightShape]),
    data.name,
    data.testImages,
    data.targets,
    mainMetric(task).key,
  ]);

/** Its last epoch in float32, if that was evaluated on the test set. */
function pretraining({ epochs, task }: RunRecord): Reference | null {
  const last = epochs.findLast(({ phase }) => phase === "pretraining");
  if (last === undefined || last.evaluation.split !== "test") return null;
  const source = `after pretraining, epoch ${last.epoch}`;
  return { reference: "pretraining", source, float: mainValue(task, last.evaluation.metrics) };
}
