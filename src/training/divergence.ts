import type { RunConfig } from "../config/schema.ts";
import { last } from "../core/elements.ts";
import { UserError } from "../core/errors.ts";
import type { EpochRecord, RunRecord } from "../runs/record.ts";
import type { Metrics } from "../tasks/metric.ts";
import { atChance, isFarAboveStart, startingLoss } from "./finite-divergence.ts";
import type { Gradients } from "./gradients.ts";
import type { Model } from "./model.ts";
import type { Held } from "./trainer.ts";

/** `training.guards` of a configuration. */
export type Guards = RunConfig["training"]["guards"];

/** The step that is watched, counted from 1, and its epoch, counted from 1. */
export interface Moment {
  readonly step: number;
  readonly epoch: number;
}

/**
 * Watches training for what goes wrong, and warns or ends it as configured. All that it knows is a function of what it
 * is shown, so a resumed run is watched as one that never stopped.
 */
export class DivergenceWatch {
  readonly #guards: Guards;
  readonly #warn: (step: number, message: string) => void;

  constructor(guards: Guards, warn: (step: number, message: string) => void) {
    this.#guards = guards;
    this.#warn = warn;
  }

  /**
   * Before an update: whether it may be made.
   *
   * @throws UserError at a loss, gradient or range that is not finite, where that ends training.
   */
  permits(model: Model, gradients: Gradients, moment: Moment): boolean {
    const found = nonFinite(model, gradients);
    if (found === null) return true;
    const { what, remedy } = found;
    if (this.#guards.nonFinite === "stop") throw stopped(moment, what, remedy);
    this.#warn(moment.step, `${what}: this step's update is left out; if it happens often, ${remedy}`);
    return false;
  }

  /** After an update. @throws UserError where what was held ends training. */
  held({ ranges, channels }: Held, moment: Moment): void {
    for (const id of ranges) {
      const what = `the range of ${id} has reached its floor`;
      const remedy = "lower training.ranges.learningRate, or method.prior.strength";
      if (this.#guards.rangeFloor === "stop") throw stopped(moment, what, remedy);
      this.#warn(moment.step, `${what}: it is held there; if accuracy suffers, ${remedy}`);
    }
    for (const id of channels) {
      const what = `the layer of ${id} is about to lose its last channel`;
      const remedy = "lower method.prior.strength or training.gates.learningRate";
      if (this.#guards.lastChannel === "stop") throw stopped(moment, what, remedy);
      this.#warn(moment.step, `${what}: one channel is held; if accuracy suffers, ${remedy}`);
    }
  }

  /** After an epoch whose numbers are finite. @throws UserError where a loss far above its start ends training. */
  loss(record: Pick<RunRecord, "startLoss" | "task" | "epochs">): void {
    const { factor, action } = this.#guards.diverged;
    if (!isFarAboveStart(record, factor)) return;
    const { step, epoch } = last(record.epochs);
    const what = `the training loss is more than ${factor} times that at the start (${startingLoss(record)?.toPrecision(3)})`;
    if (action === "stop") throw stopped({ step, epoch }, what, divergenceRemedy);
    this.#warn(step, `${what}: ${divergenceRemedy}`);
  }

  /**
   * After the last epoch.
   *
   * @param metrics Of the test set.
   * @returns What shows that training diverged; null where nothing does. @throws UserError where that ends the run.
   */
  end(record: Pick<RunRecord, "startLoss" | "task" | "epochs" | "data">, metrics: Metrics): string | null {
    const { factor, action } = this.#guards.diverged;
    const chance = atChance(record, metrics);
    const what = [
      ...(isFarAboveStart(record, factor) ? [farAboveText(record)] : []),
      ...(chance === null ? [] : [chance]),
    ].join("; ");
    if (what === "") return null;
    const { step, epoch } = record.epochs.at(-1) ?? { step: 0, epoch: 0 };
    const remedy = record.epochs.length === 0 ? untrainedRemedy : divergenceRemedy;
    if (action === "stop") throw stopped({ step, epoch }, what, remedy);
    this.#warn(step, `${what}: ${remedy}`);
    return what;
  }

  /** After an epoch. @throws UserError where what the epochs show ends training. */
  epoch(all: readonly EpochRecord[]): void {
    const epochs = all.filter(quantized);
    if (epochs.length === 0) return;
    const { step, epoch } = last(epochs);
    const { uniformBits, noImprovement } = this.#guards;
    const bits = uniformBitsOf(epochs.slice(-uniformBits.epochs));
    if (bits !== null && epochs.length >= uniformBits.epochs) {
      const what = `all tensors have had ${bits} bits for ${uniformBits.epochs} epochs`;
      const remedy =
        bits === 32
          ? "raise method.prior.strength or training.gates.learningRate"
          : "lower method.prior.strength or training.gates.learningRate";
      if (uniformBits.action === "stop") throw stopped({ step, epoch }, what, remedy);
      this.#warn(step, `${what}: ${remedy}`);
    }
    if (epochsSinceBest(epochs) >= noImprovement.epochs) {
      const what = `the training loss has not fallen for ${noImprovement.epochs} epochs`;
      const remedy = "lower training.weights.learningRate, or let training end with training.guards.noImprovement";
      this.#warn(step, this.endsEarly(epochs) ? `${what}: training ends here` : `${what}: ${remedy}`);
    }
  }

  /** Whether training is over before its last epoch, as nothing improves. */
  endsEarly(all: readonly EpochRecord[]): boolean {
    const epochs = all.filter(quantized);
    const { epochs: patience, action } = this.#guards.noImprovement;
    return action === "finish" && epochs.length > 0 && epochsSinceBest(epochs) >= patience;
  }
}

/** Pretraining has another loss and no bits. */
const quantized = ({ phase }: EpochRecord): boolean => phase !== "pretraining";

const stopped = ({ step, epoch }: Moment, what: string, remedy: string): UserError =>
  new UserError(`training stopped at step ${step} (epoch ${epoch}): ${what}; ${remedy}`);

const divergenceRemedy =
  "lower the learning rates (training.weights.learningRate) or weight decays, or look at the data";

/** Of methods without training. */
const untrainedRemedy = "look at the data (classes, normalization), at the network it starts from, or give more bits";

const farAboveText = (record: Pick<RunRecord, "startLoss" | "task" | "epochs">): string =>
  `the loss of the last epoch is ${last(record.epochs).train.taskLoss.toPrecision(3)}, at the start it was ${startingLoss(record)?.toPrecision(3)}`;

/** What the numbers of a group are called. */
const called = { weights: "codebook", gates: "gates", ranges: "range" } as const;

/** Optimizers square gradients on the host: what overflows there is as good as infinite. */
const hasSquares = (values: Float64Array): boolean => values.every((value) => Number.isFinite(value * value));

/** The first thing that is not finite, by its name, and what helps; null where all is well. */
function nonFinite(
  { ops, network, quantizers }: Model,
  gradients: Gradients,
): { readonly what: string; readonly remedy: string } | null {
  const ofNetwork: string[] = [];
  const ofGates: string[] = [];
  for (const [id, { range }] of quantizers) if (!range.every(Number.isFinite)) ofNetwork.push(`the range of ${id}`);
  for (const [id, learned] of gradients.quantizers) {
    for (const { numbers, gradient } of learned) {
      if (hasSquares(gradient)) continue;
      const places = numbers.group === "gates" ? ofGates : ofNetwork;
      places.push(`the gradient of the ${called[numbers.group]} of ${id}`);
    }
  }
  for (const { id } of network.nodes) {
    const gradient = gradients.parameters.get(id);
    // A sum of squares is finite only where all of them are: one small number leaves the engine, not the tensor.
    if (gradient !== undefined && !Number.isFinite(ops.scalar(ops.dot(gradient, gradient))))
      ofNetwork.push(`the gradient of ${id}`);
  }
  const [first] = [...ofNetwork, ...ofGates];
  const lossIsFinite = Number.isFinite(gradients.loss);
  if (first === undefined && lossIsFinite) return null;
  const places = first === undefined ? [] : [`${first} is not finite`];
  const what = [...(lossIsFinite ? [] : [`the loss is ${gradients.loss}`]), ...places].join(", ");
  // Where the network itself is well, the prior is what is too large.
  const byPrior = ofNetwork.length === 0 && Number.isFinite(gradients.taskLoss);
  const remedy = byPrior ? "lower method.prior.strength" : divergenceRemedy;
  return { what, remedy };
}

/** The bit-width that all tensors of all these epochs have, where it is 2 or 32. */
function uniformBitsOf(epochs: readonly EpochRecord[]): 2 | 32 | null {
  const widths = new Set(
    epochs.flatMap(({ quantizers }) =>
      Object.values(quantizers).flatMap(({ bits, centroids }) => (centroids === undefined ? [bits] : [])),
    ),
  );
  const [bits] = widths;
  return widths.size === 1 && (bits === 2 || bits === 32) ? bits : null;
}

/** Epochs since the lowest mean training loss; where a prior strength is steered, without what it multiplies. */
function epochsSinceBest(epochs: readonly EpochRecord[]): number {
  const strengths = new Set(epochs.flatMap(({ priorStrength }) => priorStrength ?? []));
  const losses = epochs.map(({ train }) => (strengths.size > 1 ? train.taskLoss : train.loss));
  return losses.length - 1 - losses.indexOf(Math.min(...losses));
}
