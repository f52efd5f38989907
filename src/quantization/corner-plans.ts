import { at } from "../core/elements.ts";
import { type Choice, lowerHull } from "./knapsack.ts";

/**
 * For each limit, ascending, the index of every item's choice: all begin at their cheapest, and the step along an item's
 * lower convex hull that gains most for its cost comes first, up to the first that goes beyond the limit. Nothing that
 * costs no more than such a plan harms less (it is a corner of the hull of all plans), so that of many items, as rows of a
 * weight, few plans tell all that matters.
 *
 * @returns Null where even the cheapest are beyond a limit.
 */
export function cornerPlans(
  items: readonly (readonly Choice[])[],
  limits: readonly number[],
): readonly (readonly number[] | null)[] {
  const picks: number[] = [];
  let cost = 0;
  const steps = items.flatMap((choices, item) => {
    const hull = lowerHull(choices);
    const cheapest = at(hull, 0);
    picks.push(cheapest.choice);
    cost += cheapest.cost;
    return hull.slice(1).map((corner, index) => {
      const before = at(hull, index);
      const more = corner.cost - before.cost;
      return { item, choice: corner.choice, more, slope: (before.harm - corner.harm) / more };
    });
  });
  steps.sort((one, other) => other.slope - one.slope);
  let next = 0;
  return limits.map((limit) => {
    for (let step = steps[next]; step !== undefined && cost + step.more <= limit; step = steps[++next]) {
      picks[step.item] = step.choice;
      cost += step.more;
    }
    return cost <= limit ? [...picks] : null;
  });
}
