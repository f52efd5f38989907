import { last } from "../core/elements.ts";
import { square } from "../core/powers.ts";
import type { RunRecord } from "../runs/record.ts";
import { type Metric, type Metrics, valueText } from "../tasks/metric.ts";

/** Fewer images at a share by chance than this tell nothing of it. */
const LEAST_BY_CHANCE = 5;

/** How many standard errors above chance are still chance. */
const DEVIATIONS = 2;

/**
 * What the loss is held against: that of the first step, or of a network that looks at no image, where that is more, as
 * a run that starts from a trained network begins far below it. null: not known.
 */
export function startingLoss({ startLoss, task }: Pick<RunRecord, "startLoss" | "task">): number | null {
  const known = [startLoss, task.loss.chance].flatMap((loss) => loss ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether the mean loss of the last epoch is more than `factor` times that at the start. */
export function isFarAboveStart(record: Pick<RunRecord, "startLoss" | "task" | "epochs">, factor: number): boolean {
  const from = startingLoss(record);
  return from !== null && record.epochs.length > 0 && last(record.epochs).train.taskLoss > factor * from;
}

/** Says which metric of the test set is at chance level; null: none. */
export function atChance({ task, data }: Pick<RunRecord, "task" | "data">, metrics: Metrics): string | null {
  for (const metric of task.metrics) {
    const { key, label, chance } = metric;
    const value = metrics[key];
    if (value === undefined || chance === null || !isByChance(metric, { value, chance, images: data.testImages }))
      continue;
    return `${label} on the test set is ${valueText(metric, value)}, and a network that looks at no image comes to ${valueText(metric, chance)}`;
  }
  return null;
}

function isByChance(
  { better, isShare }: Metric,
  { value, chance, images }: { readonly value: number; readonly chance: number; readonly images: number },
): boolean {
  const gain = better === "higher" ? value - chance : chance - value;
  if (!isShare) return gain <= 0;
  const variance = (chance * (100 - chance)) / images;
  return (images * chance) / 100 >= LEAST_BY_CHANCE && (gain <= 0 || square(gain) <= square(DEVIATIONS) * variance);
}
