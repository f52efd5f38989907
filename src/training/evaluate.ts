import { first } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import type { Normalization, Split } from "../data/dataset.ts";
import { readFloats } from "../engine/read-floats.ts";
import { evaluateWeights, forward } from "../network/passes.ts";
import type { Metrics } from "../tasks/metric.ts";
import type { EvaluatedBatch, Task } from "../tasks/task.ts";
import type { Model } from "./model.ts";
import { networkInput } from "./network-input.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

export interface Evaluation {
  /** The task's loss, mean over the images. */
  readonly taskLoss: number;
  readonly metrics: Metrics;
}

export interface EvaluationOptions {
  readonly task: Task;
  readonly samples: GateSamples;
  readonly normalization: Normalization | null;
  readonly batchSize: number;
  /** Hears every batch; its arrays are the engine's again when it returns. */
  readonly observe?: (batch: EvaluatedBatch) => void;
}

/**
 * Runs every image of a split through the network with the gates of `samples`, in large batches, and judges the outputs.
 *
 * @throws UserError when no image could be read; whatever reading throws.
 */
export async function evaluate(
  model: Model,
  split: Split,
  { task, samples, normalization, batchSize, observe }: EvaluationOptions,
): Promise<Evaluation> {
  const { ops, network } = model;
  const evaluator = task.evaluator();
  let count = 0;
  let taskLoss = 0;
  const weights = ops.scope(
    () => evaluateWeights(network, passOf(model, samples, new Map(), { training: false })),
    (made) => [...made.values()],
  );
  try {
    for await (const batch of split.batches({ batchSize })) {
      if (batch.count === 0) continue;
      ops.scope(
        () => {
          const inputs = soleInput(network, networkInput(model, batch, normalization));
          const pass = passOf(model, samples, inputs, { training: false });
          const output = first(forward(network, pass, { keep: false, weights }).outputs);
          taskLoss += ops.scalar(task.loss(ops, output, task.targets(ops, batch)).loss) * batch.count;
          const evaluated = { ...batch, outputs: readFloats(ops, output) };
          evaluator.add(evaluated);
          observe?.(evaluated);
        },
        () => [],
      );
      count += batch.count;
    }
  } finally {
    for (const tensor of weights.values()) ops.release(tensor);
  }
  if (count === 0) throw new UserError("cannot evaluate: no image could be read");
  return { taskLoss: taskLoss / count, metrics: evaluator.metrics };
}
