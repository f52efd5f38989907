import type { SearchObjective } from "../method.ts";

/** What a policy came to. */
export interface Measured {
  /** The task's main metric, negative where lower is better: larger is better. */
  readonly score: number;
  readonly cost: number;
}

/** What scores are held against. */
export interface Reference {
  /** Of the network in float32. */
  readonly score: number;
  /** Whether scores are percentages. */
  readonly isShare: boolean;
}

/** A score of nothing, in shares of a full one: there is no logarithm of 0. */
const LEAST_SHARE = 1e-4;

/**
 * Of an episode. Under a budget only the score counts, 10 · (score - that of the network in float32) / full score, as HAQ's
 * 0.1 for each percentage point; without one log(score^a / cost^b), as NetScore's: doubling the cost takes b·log 2 off it.
 * The full score is 100 of percentages. Other metrics have no such end, and their size depends on the data's unit, while
 * agents add rewards to distances in bits: a network's own score stands for it then, so that the unit does not matter.
 */
export function extrinsicReward(objective: SearchObjective, { score, cost }: Measured, float: Reference): number {
  const full = fullScore(float);
  switch (objective.name) {
    case "resource-constrained":
      return (10 * (score - float.score)) / full;
    case "accuracy-guaranteed":
      return (
        objective.scorePower * Math.log(Math.max(score, LEAST_SHARE * full)) - objective.costPower * Math.log(cost)
      );
  }
}

/** An error of exactly 0 has no size of its own: differences count as they are. */
const fullScore = ({ score, isShare }: Reference): number => (isShare ? 100 : Math.abs(score) || 1);

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
