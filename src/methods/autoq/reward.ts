import type { SearchObjective } from "../method.ts";

/** What a policy came to. */
export interface Measured {
  /** Of the task, in percent: larger is better. */
  readonly score: number;
  readonly cost: number;
}

/** A score of nothing, whose logarithm there is none of. */
const LEAST_SCORE = 0.01;

/**
 * Of an episode. Under a budget only the score counts, 0.1 · (score - that of the network in float32), as HAQ's; without
 * one log(score^a / cost^b), as NetScore's: doubling the cost takes b·log 2 off it.
 */
export function extrinsicReward(objective: SearchObjective, { score, cost }: Measured, floatScore: number): number {
  switch (objective.name) {
    case "resource-constrained":
      return 0.1 * (score - floatScore);
    case "accuracy-guaranteed":
      return objective.scorePower * Math.log(Math.max(score, LEAST_SCORE)) - objective.costPower * Math.log(cost);
  }
}

export interface IntrinsicFindings {
  /** Share of the extrinsic reward: zeta. */
  readonly zeta: number;
  /** Mean bits that the kernels of a layer should have. */
  readonly goal: number;
  /** Those that they got. */
  readonly bits: readonly number[];
  readonly extrinsic: number;
}

/** Of a layer's kernels: (1 - zeta)·(-|goal·n - Σ bits|) + zeta · Σ over kernels of the extrinsic reward. */
export function intrinsicReward({ zeta, goal, bits, extrinsic }: IntrinsicFindings): number {
  const sum = bits.reduce((total, width) => total + width, 0);
  return -(1 - zeta) * Math.abs(goal * bits.length - sum) + zeta * bits.length * extrinsic;
}

/** Zeta grows in a straight line over the search: first kernels learn to meet goals, then what that is good for. */
export const zetaAt = (episode: number, episodes: number, { from, to }: { from: number; to: number }): number =>
  episodes < 2 ? to : from + ((to - from) * Math.min(episode, episodes - 1)) / (episodes - 1);
