import { UserError } from "../base/errors.ts";
import { batches, batchesPerEpoch, epochOrder } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { uniforms } from "../engine/noise.ts";
import type { NodeId } from "../network/graph.ts";
import type { Progress as Position } from "../runs/checkpoint.ts";
import { refuseEmptyLayers } from "./channels-left.ts";
import type { Model } from "./model.ts";
import { multiplier, type Schedule } from "./schedule.ts";
import { drawSamples, type Samples } from "./settings.ts";
import type { groups, PerGroup, Trainer } from "./trainer.ts";

export interface LoopOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly priorStrength: number;
  readonly rates: PerGroup<{ readonly learningRate: number; readonly schedule: Schedule }>;
}

/** Means over the epoch that has just ended. */
export interface EpochSummary {
  /** Counted from 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly crossEntropy: number;
  readonly complexity: number;
  /** Percent of the training images, as they were trained on. */
  readonly top1: number;
  readonly learningRates: PerGroup<number>;
}

export interface LoopHooks {
  /** After every step; return true to stop here. */
  step(position: Position, batchesInEpoch: number): boolean | Promise<boolean>;
  /** After every epoch, before it counts as done. */
  epoch(summary: EpochSummary): void | Promise<void>;
  /** A range has reached its floor. */
  rangeAtFloor(step: number, quantizer: NodeId): void;
}

/** Where a run begins. */
export const start: Position = {
  epoch: 0,
  batch: 0,
  step: 0,
  sums: { images: 0, loss: 0, crossEntropy: 0, complexity: 0, correct: 0 },
};

/** The gates of one training step: a function of seed, quantizer and step. */
export function stepSamples(model: Model, seed: number, step: number): Samples {
  const draws = new Map<NodeId, { readonly numbers: Float64Array; used: number }>();
  for (const [id, { prune, phi }] of model.quantizers) {
    const numbers = uniforms({ seed, stream: `gates/${id}`, counter: step }, (prune?.length ?? 0) + phi.length);
    draws.set(id, { numbers, used: 0 });
  }
  return drawSamples(model, (id, count) => {
    const draw = draws.get(id)!;
    draw.used += count;
    return draw.numbers.subarray(draw.used - count, draw.used);
  });
}

/** Learning rates during an epoch, counted from 0. */
export function learningRatesAt(
  { rates, epochs }: Pick<LoopOptions, "rates" | "epochs">,
  epoch: number,
): PerGroup<number> {
  const rate = (group: (typeof groups)[number]) =>
    rates[group].learningRate * multiplier(rates[group].schedule, epoch, epochs);
  return { weights: rate("weights"), gates: rate("gates"), ranges: rate("ranges") };
}

/**
 * Trains from `from` to the last epoch, or until a hook says stop.
 *
 * @returns Where it stands; `epoch === epochs` when it is done.
 * @throws UserError at a loss that is not finite, before the update, and at a layer whose last channel is pruned: it names the step.
 */
export async function trainLoop(
  trainer: Trainer,
  dataset: Dataset,
  options: LoopOptions,
  from: Position,
  hooks: LoopHooks,
): Promise<Position> {
  const { model } = trainer;
  const { train, imageShape, normalization } = dataset;
  const { seed, batchSize, priorStrength } = options;
  const perEpoch = batchesPerEpoch(train.count, batchSize);
  let position = from;
  while (position.epoch < options.epochs) {
    const { epoch } = position;
    const learningRates = learningRatesAt(options, epoch);
    const order = epochOrder({ seed, epoch, count: train.count });
    for (const { images, labels } of batches({ set: train, order, batchSize, from: position.batch })) {
      const { ops } = model;
      const { atFloor, ...result } = trainer.train(
        () => ({
          images: ops.scope(
            () => ops.normalize(ops.tensor(images, [labels.length, ...imageShape]), normalization),
            (normalized) => [normalized],
          ),
          labels: ops.tensor(labels, [labels.length]),
        }),
        stepSamples(model, seed, position.step),
        { priorStrength, learningRates },
        ({ loss }) => refuseNonFinite(loss, position),
      );
      const { sums } = position;
      position = {
        ...position,
        batch: position.batch + 1,
        step: position.step + 1,
        sums: {
          images: sums.images + labels.length,
          loss: sums.loss + result.loss * labels.length,
          crossEntropy: sums.crossEntropy + result.crossEntropy * labels.length,
          complexity: sums.complexity + result.complexity * labels.length,
          correct: sums.correct + result.correct,
        },
      };
      refuseEmptyLayers(model, position.step);
      for (const id of atFloor) hooks.rangeAtFloor(position.step, id);
      // The epoch's last batch stops after the epoch's evaluation: a checkpoint stands between two steps.
      if ((await hooks.step(position, perEpoch)) && position.batch < perEpoch) return position;
    }
    const { images, loss, crossEntropy, complexity, correct } = position.sums;
    position = { ...start, epoch: epoch + 1, step: position.step };
    await hooks.epoch({
      epoch: epoch + 1,
      loss: loss / images,
      crossEntropy: crossEntropy / images,
      complexity: complexity / images,
      top1: (100 * correct) / images,
      learningRates,
    });
    if (await hooks.step(position, perEpoch)) return position;
  }
  return position;
}

function refuseNonFinite(loss: number, { step, epoch }: Position): void {
  if (Number.isFinite(loss)) return;
  throw new UserError(
    `training stopped at step ${step + 1} (epoch ${epoch + 1}): the loss is ${loss}; lower the learning rates (training.weights.learningRate)`,
  );
}
