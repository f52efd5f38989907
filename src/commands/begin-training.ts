import { firstImages } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import { initializeRanges } from "../training/initial-ranges.ts";
import { initializeStatistics, statisticsImages } from "../training/initial-statistics.ts";
import { stepSamples } from "../training/loop.ts";
import type { Prepared } from "./prepare.ts";
import { equalize, startFrom } from "./start-from.ts";

/**
 * Weights, statistics and ranges before the first step (ARCHITECTURE.md, "The method" 5), and what the method decides.
 *
 * @param measure Cross-entropy on held-out images.
 */
export async function beginTraining(
  { model, dataset, config, method, networkFile, source }: Prepared,
  measure: () => Promise<number>,
): Promise<void> {
  const { from } = config.training;
  if (from !== undefined) {
    startFrom(model, from);
    if (config.training.equalize) equalize(source.network, model);
  }
  // A file brings its own statistics.
  else if (networkFile === null)
    initializeStatistics(model, await firstNormalized(model.ops, dataset, statisticsImages));
  const two = await firstNormalized(model.ops, dataset, 2);
  initializeRanges(model, two, () => stepSamples(model, config.seed, 0));
  const { network, quantizers } = model;
  await method.choose?.({ network, quantizers, measure });
}

/** Uploads the first training images, normalised, as often as it is called; fewer where there are not so many. */
async function firstNormalized(ops: Ops, { train, imageShape, normalization }: Dataset, count: number) {
  const { images, labels } = await firstImages(train, count);
  return (): Tensor => ops.normalize(ops.tensor(images, [labels.length, ...imageShape]), normalization);
}
