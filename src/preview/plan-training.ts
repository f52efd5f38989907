import { batchesPerEpoch } from "../data/batches.ts";
import type { Timing } from "./measure-training.ts";

/** Seconds that a first training is to take. */
const AIM = 300;
/** Seconds that nobody waits for where something else takes minutes. */
const TOO_LONG = 3600;
/** A network learns its bits in no fewer epochs and steps. */
const [FEWEST_EPOCHS, FEWEST_STEPS] = [5, 300];
const MOST_EPOCHS = 100;
/** Share of the epochs that a network without useful weights learns in float32 first. */
const PRETRAINED = 0.4;
/** How far gates move in a whole training: from 6, where they are open, to -6, with ample room for what holds them back. */
const WAY_OF_GATES = 30;
/** The learning rate of gates in long trainings, which the examples have, and the largest that was seen to work. */
const [SLOWEST_GATES, FASTEST_GATES] = [0.01, 0.05];
/** Adam's usual rate, and one that leaves useful weights near where they are. */
const [FROM_SCRATCH, FINE_TUNING] = [1e-3, 3e-4];

/** What decides how long a training takes. */
export interface TrainingCost {
  readonly images: number;
  /** Of each evaluation, which is one after every epoch. */
  readonly evaluated: number;
  readonly batchSize: number;
  readonly timing: Timing;
}

export interface TrainingPlan {
  readonly pretrainEpochs: number;
  readonly epochs: number;
  readonly rates: { readonly weights: number; readonly gates: number };
  /** Expected of all epochs. */
  readonly seconds: number;
  /** Whether a trained network is better quantized without training. */
  readonly isTooLong: boolean;
}

/** Expected seconds of an epoch with its evaluation. */
export const epochSeconds = ({ images, evaluated, batchSize, timing }: TrainingCost): number =>
  batchesPerEpoch(images, batchSize) * timing.step + evaluated * timing.image;

/**
 * How long to train, by what a step was seen to take: some minutes, or what bits need at least.
 *
 * @param isTrained Whether the network starts from useful weights.
 */
export function planTraining(cost: TrainingCost, isTrained: boolean): TrainingPlan {
  const steps = batchesPerEpoch(cost.images, cost.batchSize);
  const least = Math.max(FEWEST_EPOCHS, Math.ceil(FEWEST_STEPS / steps));
  const whole = Math.min(MOST_EPOCHS, Math.floor(AIM / epochSeconds(cost)));
  // Pretraining is not what bits need.
  const total = Math.max(whole, isTrained ? least : Math.ceil(least / (1 - PRETRAINED)));
  const pretrainEpochs = isTrained ? 0 : Math.floor(PRETRAINED * total);
  const epochs = total - pretrainEpochs;
  const gates = Math.min(FASTEST_GATES, Math.max(SLOWEST_GATES, WAY_OF_GATES / (epochs * steps)));
  const seconds = total * epochSeconds(cost);
  return {
    pretrainEpochs,
    epochs,
    rates: { weights: isTrained ? FINE_TUNING : FROM_SCRATCH, gates: Number(gates.toPrecision(1)) },
    seconds,
    isTooLong: isTrained && seconds > TOO_LONG,
  };
}
