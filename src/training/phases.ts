import type { RunConfig } from "../config/schema.ts";
import { last } from "../core/elements.ts";
import type { Method } from "../methods/method.ts";
import type { PerGroup } from "./groups.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import { multiplier, type Schedule } from "./schedule.ts";

/** How one group of parameters is updated. */
export type GroupOptions = OptimizerOptions & { readonly learningRate: number; readonly schedule: Schedule };

/** A stretch of epochs in which the same things learn in the same way. */
export interface Phase {
  readonly name: "pretraining" | "training" | "settling" | "fine-tuning";
  /** Epochs of the run, counted from 0: the phase's first, and the first after it. */
  readonly from: number;
  readonly to: number;
  /** Epochs that the learning rates' schedules run over. */
  readonly schedule: { readonly from: number; readonly to: number };
  /** null: the group rests. */
  readonly groups: PerGroup<GroupOptions | null>;
  /** Whether it is the method's network that trains; false: the network before the method, in float32. */
  readonly quantizes: boolean;
  /** Whether gates stay at their test-time values. */
  readonly gatesFixed: boolean;
  /**
   * Whether batch normalization keeps its running statistics and trains with them; where it is not folded into a layer,
   * its scale and shift rest too.
   */
  readonly batchNormFrozen: boolean;
}

/** Share of training after which gates are fixed where a budget has to be met: weights then settle on what is left. */
const BUDGET_FIXED = 0.8;

/**
 * The phases of a run: pretraining in float32; training; what is left of it once gates are fixed ("settling");
 * fine-tuning.
 *
 * @param method Whether weights learn at all, and whether there is a budget.
 */
export function planPhases(
  training: Omit<RunConfig["training"], "from" | "equalize" | "guards">,
  { trainsWeights, prior }: Pick<Method, "trainsWeights" | "prior">,
): readonly Phase[] {
  const { epochs, fixGatesAfter, pretrain, finetune, weights, gates, ranges } = training;
  const begin = pretrain?.epochs ?? 0;
  const end = begin + epochs;
  const trained = (options: GroupOptions) => (trainsWeights ? options : null);
  const first = {
    name: "training",
    from: begin,
    to: begin + (fixGatesAfter ?? (prior.target === null ? epochs : Math.max(1, Math.floor(BUDGET_FIXED * epochs)))),
    schedule: { from: begin, to: end },
    groups: { weights: trained(weights), gates, ranges },
    quantizes: true,
    gatesFixed: false,
    batchNormFrozen: false,
  } as const satisfies Phase;
  const phases: Phase[] = [first];
  if (pretrain) {
    const stretch = { from: 0, to: begin };
    phases.unshift({
      name: "pretraining",
      ...stretch,
      schedule: stretch,
      groups: { weights: pretrain.weights, gates: null, ranges: null },
      quantizes: false,
      gatesFixed: true,
      batchNormFrozen: false,
    });
  }
  if (first.to < end) {
    const groups = { ...first.groups, gates: null };
    phases.push({ ...first, name: "settling", from: first.to, to: end, groups, gatesFixed: true });
  }
  if (finetune) {
    const stretch = { from: end, to: end + finetune.epochs };
    phases.push({
      name: "fine-tuning",
      ...stretch,
      schedule: stretch,
      groups: { weights: trained(finetune.weights), gates: null, ranges: finetune.ranges },
      quantizes: true,
      gatesFixed: true,
      batchNormFrozen: true,
    });
  }
  return phases;
}

/** The phase of an epoch, counted from 0; the last one after the run's end. */
export const phaseAt = (phases: readonly Phase[], epoch: number): Phase =>
  phases.find(({ to }) => epoch < to) ?? last(phases);

/** Epochs of the whole run. */
export const epochsOf = (phases: readonly Phase[]): number => last(phases).to;

/** Learning rates at a moment, in epochs counted from 0; 0 where a group rests. */
export function learningRatesAt({ groups, schedule: { from, to } }: Phase, moment: number): PerGroup<number> {
  const rate = (options: GroupOptions | null) =>
    options === null ? 0 : options.learningRate * multiplier(options.schedule, moment - from, to - from);
  return { weights: rate(groups.weights), gates: rate(groups.gates), ranges: rate(groups.ranges) };
}
