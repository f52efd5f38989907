import { UserError } from "../core/errors.ts";
import type { Normalization, Split } from "../data/dataset.ts";
import type { Tensor } from "../engine/ops.ts";
import { onlyInput } from "../kinds/index.ts";
import { evaluateWeights, forward } from "../network/passes.ts";
import type { Model } from "./model.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

export interface Evaluation {
  /** Percent classified correctly. */
  readonly top1: number;
  readonly crossEntropy: number;
  /** The class given to each image that could be read. */
  readonly predictions: Int32Array;
  /** Their true classes. */
  readonly labels: Int32Array;
}

/** Classified images, [images, height, width, channels], with their logits, [images, classes]. */
export interface EvaluatedBatch {
  readonly logits: Float32Array;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

export interface EvaluationOptions {
  readonly samples: GateSamples;
  readonly normalization: Normalization;
  readonly batchSize: number;
  /** Hears every batch; its arrays are the engine's again when it returns. */
  readonly observe?: (batch: EvaluatedBatch) => void;
}

/**
 * Classifies every image of a split with the gates of `samples`, in large batches.
 *
 * @throws UserError when no image could be read; whatever reading throws.
 */
export async function evaluate(
  model: Model,
  split: Split,
  { samples, normalization, batchSize, observe }: EvaluationOptions,
): Promise<Evaluation> {
  const { ops, network } = model;
  const predictions = new Int32Array(split.count);
  const truth = new Int32Array(split.count);
  let count = 0;
  let crossEntropy = 0;
  let correct = 0;
  const weights = ops.scope(
    () => evaluateWeights(network, passOf(model, samples, new Map(), { training: false })),
    (made) => [...made.values()],
  );
  try {
    for await (const { images, labels } of split.batches({ batchSize })) {
      if (labels.length === 0) continue;
      ops.scope(
        () => {
          const bytes = ops.tensor(images, [labels.length, ...onlyInput(network).shape]);
          const inputs = soleInput(network, ops.normalize(bytes, normalization));
          const pass = passOf(model, samples, inputs, { training: false });
          const [output] = forward(network, pass, { keep: false, weights }).outputs as [Tensor];
          const truths = ops.tensor(labels, [labels.length]);
          crossEntropy += ops.scalar(ops.crossEntropy(output, truths).loss) * labels.length;
          predictions.set(ops.read(ops.argMax(output)), count);
          observe?.({ logits: ops.read(output) as Float32Array, images, labels });
        },
        () => [],
      );
      truth.set(labels, count);
      count += labels.length;
    }
  } finally {
    for (const tensor of weights.values()) ops.release(tensor);
  }
  if (count === 0) throw new UserError("cannot evaluate: no image could be read");
  for (let image = 0; image < count; image++) if (predictions[image] === truth[image]) correct++;
  return {
    top1: (100 * correct) / count,
    crossEntropy: crossEntropy / count,
    predictions: predictions.subarray(0, count),
    labels: truth.subarray(0, count),
  };
}
