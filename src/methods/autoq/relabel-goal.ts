import { square } from "../../core/powers.ts";

/** Steps from the original goal to what kernels achieved. */
const STEPS = 32;

/**
 * Goals that kernels may have followed, the original first: those from it to the mean bits that they achieved, where HIRO
 * draws its candidates too. Anywhere else a goal would be taken for good that kernels, as they are yet to learn what goals
 * are, seem to have followed by chance: the controllers then unlearn each other's meaning.
 */
export const goalsBetween = (original: number, achieved: number): Float64Array =>
  Float64Array.from({ length: STEPS + 1 }, (_, step) => original + (step / STEPS) * (achieved - original));

/**
 * The goal, within [0, 1], that makes what kernels did most likely under what they would do now: least Σ (action - what
 * the actor does under this goal)² (Nachum et al., 2018). The original goal stays where no other is better.
 *
 * @param candidates The original goal first, then others.
 * @param did The actions of the kernels.
 * @param would What the kernels would do under each candidate, one behind the other.
 */
export function likeliestGoal(candidates: ArrayLike<number>, did: ArrayLike<number>, would: ArrayLike<number>): number {
  let best = { goal: candidates[0] ?? 0, distance: Number.POSITIVE_INFINITY };
  for (let candidate = 0; candidate < candidates.length; candidate++) {
    let distance = 0;
    for (let kernel = 0; kernel < did.length; kernel++) {
      distance += square(did[kernel]! - would[candidate * did.length + kernel]!);
    }
    if (distance < best.distance) best = { goal: candidates[candidate]!, distance };
  }
  return best.goal;
}
