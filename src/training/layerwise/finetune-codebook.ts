import { mean } from "../../core/mean.ts";
import { batchesPerEpoch } from "../../data/batches.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { Clustering } from "../../methods/method.ts";
import { CodebookQuantizer } from "../../quantizers/codebook-quantizer.ts";
import type { Task } from "../../tasks/task.ts";
import { type LoopHooks, start, trainLoop } from "../loop.ts";
import type { Model } from "../model.ts";
import type { Phase } from "../phases.ts";
import { Trainer } from "../trainer.ts";

export interface FinetuneOptions {
  readonly finetune: Clustering["finetune"];
  readonly dataset: Dataset;
  /** What the codebook learns from. */
  readonly task: Task;
  readonly batchSize: number;
  readonly seed: number;
  readonly watch: LoopHooks["watch"];
  /** Between two steps: throws to end there. */
  readonly pause: () => Promise<void>;
}

/** Steps at the beginning and at the end that losses are means of. */
const MEAN_OF = 10;

/** The loss before a codebook learned and after it, each a mean over some steps. */
export interface Finetuned {
  readonly steps: number;
  readonly lossBefore: number;
  readonly lossAfter: number;
}

/** Lets one codebook learn for some steps, with batch normalization as it stands and everything else at rest. */
export async function finetuneCodebook(
  model: Model,
  own: NodeId,
  { finetune, dataset, task, batchSize, seed, watch, pause }: FinetuneOptions,
): Promise<Finetuned | null> {
  const { steps, ...options } = finetune;
  if (steps === 0) return null;
  const quantizers = new Map(model.quantizers);
  for (const [id, quantizer] of quantizers)
    if (id !== own && quantizer instanceof CodebookQuantizer) quantizers.set(id, quantizer.resting);
  const stretch = { from: 0, to: Math.ceil(steps / batchesPerEpoch(dataset.train.count, batchSize)) };
  const phase: Phase = {
    name: "training",
    ...stretch,
    schedule: stretch,
    groups: {
      weights: { optimizer: "sgd", nesterov: false, schedule: { name: "constant" }, ...options },
      gates: null,
      ranges: null,
    },
    quantizes: true,
    gatesFixed: true,
    batchNormFrozen: true,
  };
  const trainer = new Trainer({ ...model, quantizers }, phase.groups);
  trainer.enter(phase);
  const losses: number[] = [];
  let sum = { images: 0, loss: 0 };
  try {
    await trainLoop(trainer, dataset, { seed, batchSize, phases: [phase], task }, start, {
      watch,
      epoch() {
        sum = { images: 0, loss: 0 };
      },
      async step({ sums, step }) {
        if (sums.images > sum.images) losses.push((sums.loss - sum.loss) / (sums.images - sum.images));
        sum = sums;
        await pause();
        return step >= steps;
      },
    });
  } finally {
    trainer.weights.dispose();
  }
  return { steps, lossBefore: mean(losses.slice(0, MEAN_OF)), lossAfter: mean(losses.slice(-MEAN_OF)) };
}
