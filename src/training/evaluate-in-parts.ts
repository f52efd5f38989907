import type { ImageSet } from "../data/dataset.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import type { Model } from "./model.ts";

/**
 * Evaluates a set one batch at a time, with a pause after each: a signal is heard within a batch, not after the set.
 *
 * @param pause Lets signals in; throws to end here.
 */
export async function evaluateInParts(
  model: Model,
  set: ImageSet,
  options: Parameters<typeof evaluate>[2],
  pause: () => Promise<void>,
): Promise<Evaluation> {
  const pixels = set.images.length / set.count;
  const predictions = new Int32Array(set.count);
  let [crossEntropy, correct] = [0, 0];
  for (let first = 0; first < set.count; first += options.batchSize) {
    const end = Math.min(set.count, first + options.batchSize);
    const labels = set.labels.subarray(first, end);
    const part = { count: end - first, images: set.images.subarray(first * pixels, end * pixels), labels };
    const evaluation = evaluate(model, part, options);
    predictions.set(evaluation.predictions, first);
    crossEntropy += evaluation.crossEntropy * part.count;
    correct += labels.reduce((sum, label, image) => sum + (evaluation.predictions[image] === label ? 1 : 0), 0);
    await pause();
  }
  return { top1: (100 * correct) / set.count, crossEntropy: crossEntropy / set.count, predictions };
}
