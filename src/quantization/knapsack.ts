import { at } from "../core/elements.ts";

/** One way to store a tensor. */
export interface Choice {
  readonly cost: number;
  readonly harm: number;
}

interface State {
  readonly cost: number;
  readonly harm: number;
  readonly choice: number;
  readonly before: State | null;
}

/**
 * Picks one choice of each item so that the costs stay within the limit and the sum of the harms is least: the
 * multiple-choice knapsack problem, solved exactly. Partial plans are kept item by item where no other costs and harms
 * less; those whose best continuation, with fractions of choices allowed, is no better than a plan already known are left
 * out.
 *
 * @returns The index of each item's choice; null where even the cheapest cost too much.
 */
export function leastHarm(items: readonly (readonly Choice[])[], limit: number): readonly number[] | null {
  const suffixes = suffixesOf(items);
  const greedy = greedyPlan(items, at(suffixes, 0), limit);
  if (greedy === null) return null;
  const known = greedy.reduce((sum, choice, item) => sum + at(at(items, item), choice).harm, 0);
  let states: readonly State[] = [{ cost: 0, harm: 0, choice: -1, before: null }];
  for (const [index, item] of items.entries()) {
    const rest = at(suffixes, index + 1);
    const next = states.flatMap((before) =>
      item.map(({ cost, harm }, choice) => ({ cost: before.cost + cost, harm: before.harm + harm, choice, before })),
    );
    states = undominated(next).filter(({ cost, harm }) => harm + bound(rest, limit - cost) < known);
  }
  const [best] = states.toSorted((a, b) => a.harm - b.harm);
  if (best === undefined) return greedy;
  const picks: number[] = [];
  for (let state: State | null = best; state !== null && state.before !== null; state = state.before) {
    picks.push(state.choice);
  }
  return picks.reverse();
}

/** Those that no other is cheaper than and as good as, the cheapest first. */
export function undominated<T extends Choice>(states: readonly T[]): readonly T[] {
  const kept: T[] = [];
  for (const state of states.toSorted((a, b) => a.cost - b.cost || a.harm - b.harm)) {
    const last = kept.at(-1);
    if (last === undefined || state.harm < last.harm) kept.push(state);
  }
  return kept;
}

/** A step from one choice of an item to a better one. */
interface Increment {
  readonly item: number;
  readonly choice: number;
  readonly cost: number;
  /** By how much the harm falls. */
  readonly gain: number;
}

/** What is to be known of the items from one on: all at their cheapest, and the steps up from there, the best first. */
interface Suffix {
  readonly cost: number;
  readonly harm: number;
  readonly increments: readonly Increment[];
}

/** The suffixes that begin at each item, and the empty one. */
function suffixesOf(items: readonly (readonly Choice[])[]): readonly Suffix[] {
  const suffixes: Suffix[] = [{ cost: 0, harm: 0, increments: [] }];
  for (let item = items.length - 1; item >= 0; item--) {
    const hull = lowerHull(at(items, item));
    const [cheapest] = hull;
    if (cheapest === undefined) throw new RangeError("an item without choices");
    const own = hull.slice(1).map((choice, index): Increment => {
      const before = at(hull, index);
      return { item, choice: choice.choice, cost: choice.cost - before.cost, gain: before.harm - choice.harm };
    });
    const rest = at(suffixes, suffixes.length - 1);
    suffixes.push({
      cost: rest.cost + cheapest.cost,
      harm: rest.harm + cheapest.harm,
      increments: [...rest.increments, ...own].sort((a, b) => b.gain / b.cost - a.gain / a.cost),
    });
  }
  return suffixes.reverse();
}

/** The corners of the lower convex hull of an item's choices, the cheapest first. */
export function lowerHull(choices: readonly Choice[]): readonly (Choice & { readonly choice: number })[] {
  const hull: (Choice & { readonly choice: number })[] = [];
  for (const point of undominated(choices.map((one, choice) => ({ ...one, choice })))) {
    for (let last = hull.at(-1), before = hull.at(-2); last && before; last = hull.at(-1), before = hull.at(-2)) {
      const slope = (before.harm - last.harm) / (last.cost - before.cost);
      if ((last.harm - point.harm) / (point.cost - last.cost) < slope) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull;
}

/** No plan of these items within the limit harms less. */
function bound({ cost, harm, increments }: Suffix, limit: number): number {
  if (cost > limit) return Number.POSITIVE_INFINITY;
  let [left, least] = [limit - cost, harm];
  for (const increment of increments) {
    if (increment.cost > left) return least - (increment.gain * left) / increment.cost;
    left -= increment.cost;
    least -= increment.gain;
  }
  return least;
}

/** Steps up from the cheapest choices, the best first, as long as they fit; null where the cheapest do not. */
function greedyPlan(
  items: readonly (readonly Choice[])[],
  { cost, increments }: Suffix,
  limit: number,
): readonly number[] | null {
  if (cost > limit) return null;
  const plan = items.map((choices) => lowerHull(choices)[0]?.choice ?? 0);
  const closed = new Set<number>();
  let left = limit - cost;
  for (const { item, choice, cost: more } of increments) {
    if (closed.has(item)) continue;
    if (more > left) {
      closed.add(item);
      continue;
    }
    left -= more;
    plan[item] = choice;
  }
  return plan;
}
