import { UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { uniforms } from "../core/random.ts";
import { batchesPerEpoch } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { WaitingTime } from "../data/waiting.ts";
import type { NodeId } from "../graph/graph.ts";
import type { Progress as Position } from "../runs/checkpoint.ts";
import type { Metrics } from "../tasks/metric.ts";
import type { Task } from "../tasks/task.ts";
import type { DivergenceWatch } from "./divergence.ts";
import type { StepResult } from "./gradients.ts";
import type { PerGroup } from "./groups.ts";
import type { Model } from "./model.ts";
import { networkInput } from "./network-input.ts";
import { drawGates, type GateSamples } from "./pass.ts";
import { epochsOf, learningRatesAt, type Phase, phaseAt } from "./phases.ts";
import type { Trainer } from "./trainer.ts";

export interface LoopOptions {
  readonly seed: number;
  readonly batchSize: number;
  readonly phases: readonly Phase[];
  readonly task: Task;
}

/** Means over the epoch that has just ended. */
export interface EpochSummary {
  /** Counted from 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly taskLoss: number;
  readonly complexity: number;
  /** Of the training images, as they were trained on. */
  readonly metrics: Metrics;
  /** At the epoch's start. */
  readonly learningRates: PerGroup<number>;
  /** Percent of the time from the epoch's first step here to its last in which training waited for images. */
  readonly waitingForData: number;
  readonly phase: Phase["name"];
  /** mu at the epoch's end. */
  readonly priorStrength: number;
}

export interface LoopHooks {
  /** After every step; return true to stop here. */
  step(position: Position, batchesInEpoch: number): boolean | Promise<boolean>;
  /** After every epoch, before it counts as done. */
  epoch(summary: EpochSummary): void | Promise<void>;
  /** Between pretraining and training, in the model that trains from then on. */
  quantize?(): void | Promise<void>;
  /** Sees every step's gradients, and what its update came to. */
  readonly watch: Pick<DivergenceWatch, "permits" | "held">;
}

/** Where a run begins. */
export const start: Position = {
  epoch: 0,
  batch: 0,
  step: 0,
  sums: { images: 0, loss: 0, taskLoss: 0, complexity: 0, figures: {} },
};

/** The gates of one training step: a function of seed, quantizer and step. */
export function stepGates(model: Model, seed: number, step: number): GateSamples {
  const draws = new Map<NodeId, { readonly numbers: Float64Array; used: number }>();
  for (const [id, { prune, phi }] of model.quantizers) {
    const numbers = uniforms({ seed, stream: `gates/${id}`, counter: step }, (prune?.length ?? 0) + phi.length);
    draws.set(id, { numbers, used: 0 });
  }
  return drawGates(model, (id, count) => {
    const draw = lookup(draws, id);
    draw.used += count;
    return draw.numbers.subarray(draw.used - count, draw.used);
  });
}

/**
 * Trains from `from` to the last epoch, or until a hook says stop.
 *
 * @returns Where it stands; after the last phase's last epoch when it is done.
 * @throws UserError where the watch ends it, and at an epoch of which no step counted.
 */
export async function trainLoop(
  trainer: Trainer,
  dataset: Dataset,
  options: LoopOptions,
  from: Position,
  hooks: LoopHooks,
): Promise<Position> {
  const { train } = dataset;
  const { seed, batchSize, phases, task } = options;
  const { strength } = trainer;
  const perEpoch = batchesPerEpoch(train.count, batchSize);
  let position = from;
  while (position.epoch < epochsOf(phases)) {
    const { epoch } = position;
    const phase = phaseAt(phases, epoch);
    const started = performance.now();
    const waiting = new WaitingTime();
    for await (const batch of train.epoch({ epoch, batchSize, from: position.batch, waiting })) {
      if (batch.count === 0) {
        // All images of the batch are damaged: there is nothing to learn from.
        position = { ...position, batch: position.batch + 1 };
        continue;
      }
      const { inPhase: model } = trainer;
      const { ops } = model;
      const moment = epoch + position.batch / perEpoch;
      const step = { step: position.step + 1, epoch: epoch + 1 };
      const result = trainer.train(
        () => ({
          images: networkInput(model, batch, dataset.normalization),
          targets: task.targets(ops, batch),
        }),
        stepGates(model, seed, position.step),
        { task, priorStrength: strength.value, learningRates: learningRatesAt(phase, moment) },
        (gradients) => hooks.watch.permits(model, gradients, step),
      );
      if (!phase.gatesFixed) strength.step(model, (moment + 1 / perEpoch - phase.from) / (phase.to - phase.from));
      const sums = result === null ? position.sums : addStep(position.sums, result, batch.count);
      position = { ...position, batch: position.batch + 1, step: step.step, sums };
      if (result !== null) hooks.watch.held(result.held, step);
      if (await hooks.step(position, perEpoch)) return position;
    }
    const { images, loss, taskLoss, complexity, figures } = position.sums;
    if (images === 0) throw new UserError(`training stopped: no step of epoch ${epoch + 1} had finite gradients`);
    const seconds = (performance.now() - started) / 1000;
    const waitingForData = seconds > 0 ? Math.min(100, (100 * waiting.seconds) / seconds) : 0;
    position = { ...start, epoch: epoch + 1, step: position.step };
    const next = phaseAt(phases, position.epoch);
    if (!phase.gatesFixed && (next.gatesFixed || position.epoch === phase.to)) strength.settle(trainer.inPhase);
    await hooks.epoch({
      epoch: epoch + 1,
      loss: loss / images,
      taskLoss: taskLoss / images,
      complexity: complexity / images,
      metrics: task.figures(figures, images),
      waitingForData,
      learningRates: learningRatesAt(phase, epoch),
      phase: phase.name,
      priorStrength: strength.value,
    });
    // Before the step's hook: a checkpoint then already is one of the phase that it goes on with.
    trainer.enter(next);
    if (next.quantizes && !phase.quantizes) await hooks.quantize?.();
    if (await hooks.step(position, perEpoch)) return position;
  }
  return position;
}

/** The sums over the epoch so far with one more step of `images` images. */
function addStep(sums: Position["sums"], step: StepResult, images: number): Position["sums"] {
  return {
    images: sums.images + images,
    loss: sums.loss + step.loss * images,
    taskLoss: sums.taskLoss + step.taskLoss * images,
    complexity: sums.complexity + step.complexity * images,
    figures: Object.fromEntries(
      Object.entries(step.sums).map(([name, sum]) => [name, (sums.figures[name] ?? 0) + sum]),
    ),
  };
}
