import { firstNormalized } from "../training/first-normalized.ts";
import { initializeRanges, rangeImages } from "../training/initial-ranges.ts";
import { initializeStatistics, statisticsImages } from "../training/initial-statistics.ts";
import { stepGates } from "../training/loop.ts";
import type { Prepared } from "./prepare.ts";
import { equalize, startFrom } from "./start-from.ts";

/** Weights and statistics before the first step (docs/method.md, "Training"). */
export async function beginWeights({ model, dataset, config, networkFile, source }: Prepared): Promise<void> {
  const { from } = config.training;
  if (from !== undefined) {
    startFrom(model, from);
    if (config.training.equalize) equalize(source.network, model);
  }
  // A file brings its own statistics.
  else if (networkFile === null) initializeStatistics(model, await firstNormalized(model, dataset, statisticsImages));
}

/**
 * First ranges for the weights as they are, and what the method decides.
 *
 * @param measure The task's loss on held-out images.
 */
export async function beginQuantizers(
  { model, dataset, config, method }: Prepared,
  measure: () => Promise<number>,
): Promise<void> {
  await beginRanges({ model, dataset, config });
  const { network, quantizers } = model;
  await method.choose?.({ network, quantizers, measure });
}

/** First ranges for the weights as they are, as the method's settings say. */
export async function beginRanges({
  model,
  dataset,
  config: { method, seed },
}: Pick<Prepared, "model" | "dataset" | "config">): Promise<void> {
  const rule = "initialRanges" in method ? method.initialRanges : "max";
  const images = await firstNormalized(model, dataset, rangeImages[rule]);
  initializeRanges(model, images, () => stepGates(model, seed, 0), rule);
}
