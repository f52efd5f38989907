import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import { type Choice, leastHarm, undominated } from "./knapsack.ts";

/** A width that a weight or an activation may get, and what it harms. */
export interface WidthChoice {
  readonly bits: number;
  readonly harm: number;
}

/** Where a weight and an activation meet; null: a number that stays at 32 bits. */
export interface WidthProduct {
  readonly weight: number | null;
  readonly activation: number | null;
  /** Multiply-accumulates. */
  readonly macs: number;
}

/** Widths whose cost is the bit operations: the sum over products of MACs · bits of the weight · bits of the activation. */
export interface ProductItems {
  readonly weights: readonly { readonly choices: readonly WidthChoice[] }[];
  readonly activations: readonly { readonly choices: readonly WidthChoice[] }[];
  readonly products: readonly WidthProduct[];
}

/** The index of each one's choice. */
export interface WidthPicks {
  readonly weights: readonly number[];
  readonly activations: readonly number[];
}

/** Where more activations meet in one component, all of them get one width: each way to choose them is tried. */
const MOST_APART = 4;

/** Bits of what has no choice. */
const FLOAT = 32;

/**
 * What picks the widths with the least sum of harms whose bit operations stay within a limit. Widths that meet in a product
 * depend on each other, all others do not: for each component of the graph of weights and activations its choices that no
 * other is cheaper than and as good as, then the knapsack over components. Exact, but for components of more than four
 * activations, which get one width.
 *
 * @returns For a limit in bit operations the picks; null where even the fewest are too many.
 */
export function productChooser(items: ProductItems): (limit: number) => WidthPicks | null {
  const fronts = componentsOf(items).map((component) => frontOf(items, component));
  const constant = items.products
    .filter(({ weight, activation }) => weight === null && activation === null)
    .reduce((sum, { macs }) => sum + macs * FLOAT * FLOAT, 0);
  return (limit) => {
    const chosen = leastHarm(fronts, limit - constant);
    if (chosen === null) return null;
    const picks = { weights: items.weights.map(() => 0), activations: items.activations.map(() => 0) };
    for (const [component, choice] of chosen.entries()) {
      for (let part: Part | null = at(at(fronts, component), choice).parts; part !== null; part = part.before) {
        picks[part.of][part.item] = part.choice;
      }
    }
    return picks;
  };
}

/** A choice that was made, and those before it. */
interface Part {
  readonly of: "weights" | "activations";
  readonly item: number;
  readonly choice: number;
  readonly before: Part | null;
}

/** Choices of a component, or of a part of it. */
interface Joint extends Choice {
  readonly parts: Part | null;
}

interface Component {
  readonly weights: readonly number[];
  readonly activations: readonly number[];
}

/** Weights and activations that products connect, in the order of their first. */
function componentsOf({ weights, activations, products }: ProductItems): readonly Component[] {
  const count = weights.length + activations.length;
  const parents = Array.from({ length: count }, (_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (at(parents, root) !== root) root = at(parents, root);
    return root;
  };
  for (const { weight, activation } of products) {
    if (weight !== null && activation !== null) parents[rootOf(weights.length + activation)] = rootOf(weight);
  }
  const components = new Map<number, { weights: number[]; activations: number[] }>();
  for (let index = 0; index < count; index++) {
    const root = rootOf(index);
    const component = components.get(root) ?? { weights: [], activations: [] };
    components.set(root, component);
    if (index < weights.length) component.weights.push(index);
    else component.activations.push(index - weights.length);
  }
  return [...components.values()];
}

/** The choices of a component that no other is cheaper than and as good as. */
function frontOf(items: ProductItems, { weights, activations }: Component): readonly Joint[] {
  const byWeight = new Map(weights.map((weight) => [weight, items.products.filter((one) => one.weight === weight)]));
  const fronts = assignmentsOf(items, activations).map(({ joint, bits }) => {
    const bitsOf = (activation: number | null) => (activation === null ? FLOAT : lookup(bits, activation));
    const ofFloats = items.products
      .filter(({ weight, activation }) => weight === null && activation !== null && bits.has(activation))
      .reduce((sum, { macs, activation }) => sum + macs * FLOAT * bitsOf(activation), 0);
    // For given widths of activations weights do not depend on each other.
    return weights.reduce<readonly Joint[]>(
      (front, weight) => {
        const perBit = lookup(byWeight, weight).reduce(
          (sum, { macs, activation }) => sum + macs * bitsOf(activation),
          0,
        );
        const next = front.flatMap((before) =>
          at(items.weights, weight).choices.map(
            ({ bits: width, harm }, choice): Joint => ({
              cost: before.cost + width * perBit,
              harm: before.harm + harm,
              parts: { of: "weights", item: weight, choice, before: before.parts },
            }),
          ),
        );
        return undominated(next);
      },
      [{ ...joint, cost: joint.cost + ofFloats }],
    );
  });
  return undominated(fronts.flat());
}

/** A width for each of some activations, without a cost: that is their products'. */
interface Assignment {
  readonly joint: Joint;
  readonly bits: ReadonlyMap<number, number>;
}

/** Every way to choose the widths of activations; of many those alone that have one width. */
function assignmentsOf({ activations: items }: ProductItems, activations: readonly number[]): readonly Assignment[] {
  const start: Assignment = { joint: { cost: 0, harm: 0, parts: null }, bits: new Map() };
  const extended = ({ joint, bits }: Assignment, activation: number, choice: number): Assignment => {
    const { bits: width, harm } = at(at(items, activation).choices, choice);
    const parts: Part = { of: "activations", item: activation, choice, before: joint.parts };
    return { joint: { ...joint, harm: joint.harm + harm, parts }, bits: new Map(bits).set(activation, width) };
  };
  if (activations.length > MOST_APART) {
    const widths = new Set(activations.flatMap((activation) => at(items, activation).choices.map(({ bits }) => bits)));
    return [...widths].map((width) =>
      activations.reduce(
        (before, activation) => extended(before, activation, choiceOf(at(items, activation).choices, width)),
        start,
      ),
    );
  }
  return activations.reduce<readonly Assignment[]>(
    (found, activation) =>
      found.flatMap((before) => at(items, activation).choices.map((_, choice) => extended(before, activation, choice))),
    [start],
  );
}

/** The index of the choice of a width; of the first where it has none of it, as where its width is fixed. */
export const choiceOf = (choices: readonly WidthChoice[], bits: number): number =>
  Math.max(
    0,
    choices.findIndex((choice) => choice.bits === bits),
  );
