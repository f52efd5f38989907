import type { ImageSet, Normalization } from "../data/dataset.ts";
import { forward } from "../network/passes.ts";
import type { Model } from "./model.ts";
import { passOf, type Samples } from "./settings.ts";

export interface Evaluation {
  /** Percent classified correctly. */
  readonly top1: number;
  readonly crossEntropy: number;
  /** The class given to each image. */
  readonly predictions: Int32Array;
}

/** Classifies every image with the gates of `samples`, in large batches. */
export function evaluate(
  model: Model,
  set: ImageSet,
  { samples, normalization, batchSize }: { samples: Samples; normalization: Normalization; batchSize: number },
): Evaluation {
  const { ops, network } = model;
  const [height, width, channels] = network.inputShape;
  const pixels = height * width * channels;
  const predictions = new Int32Array(set.count);
  let crossEntropy = 0;
  let correct = 0;
  for (let start = 0; start < set.count; start += batchSize) {
    const end = Math.min(set.count, start + batchSize);
    ops.scope(
      () => {
        const bytes = ops.tensor(set.images.subarray(start * pixels, end * pixels), [
          end - start,
          height,
          width,
          channels,
        ]);
        const pass = passOf(model, samples, ops.normalize(bytes, normalization), { training: false });
        const { output } = forward(network, pass, { keep: false });
        const labels = ops.tensor(set.labels.subarray(start, end), [end - start]);
        crossEntropy += ops.scalar(ops.crossEntropy(output, labels).loss) * (end - start);
        predictions.set(ops.read(ops.argMax(output)), start);
      },
      () => [],
    );
  }
  for (let image = 0; image < set.count; image++) if (predictions[image] === set.labels[image]) correct++;
  return { top1: (100 * correct) / set.count, crossEntropy: crossEntropy / set.count, predictions };
}
