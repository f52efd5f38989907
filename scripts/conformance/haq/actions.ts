import { z } from "zod";
import { walkIntoBudget } from "../../../src/methods/autoq/budget-walk.ts";
import { roundedAction } from "../../../src/quantization/width-actions.ts";
import { largestDifference, numbers, type Outcome, relativeError, Tally } from "../compare.ts";

const widths = { min_bit: z.int(), float_bit: z.int() };
const pair = z.tuple([z.int(), z.int()]);
const file = z.object({
  discretization: z.array(z.object({ min_bit: z.int(), max_bit: z.int(), action: z.number(), bits: z.int() })),
  latency_budget: z.array(
    z.object({
      ...widths,
      cost_table: z.array(z.array(numbers)),
      strategy_before: z.array(pair),
      strategy_after: z.array(pair),
      cost_before: z.number(),
      cost_after: z.number(),
      target: z.number(),
    }),
  ),
  size_budget: z.array(
    z.object({
      ...widths,
      weights_per_layer: numbers,
      strategy_before: numbers,
      strategy_after: numbers,
      bits_after: z.number(),
      target_bits: z.number(),
    }),
  ),
});

/** Activation bits of an image of 8 bits in HAQ's tables, whose entry it takes is the last but one. */
const IMAGE = -1;

/** The widths that a walk may give: from the lowest to far above any. */
const from = (lowest: number) => Array.from({ length: 32 }, (_, index) => lowest + index);

/** actions_and_budget.json: the action map, and the walk into a budget of latency by a table, or of weight bits. */
export function checkActions(content: unknown): Outcome {
  const tally = new Tally();
  const { discretization, latency_budget, size_budget } = file.parse(content);
  for (const { action, min_bit, max_bit, bits } of discretization) {
    tally.case((check) => check(Math.abs(roundedAction(action, min_bit, max_bit) - bits), 0));
  }
  for (const golden of latency_budget) {
    // A walk goes through [activation, weight] of each layer, the last one first.
    const order = (strategy: readonly (readonly [number, number])[]) =>
      strategy.toReversed().flatMap(([weight, activation]) => [activation, weight]);
    const layers = golden.cost_table.length;
    const cost = (walked: readonly number[]) =>
      golden.cost_table.reduce((sum, table, layer) => {
        const [activation, weight] = [walked[2 * (layers - 1 - layer)]!, walked[2 * (layers - 1 - layer) + 1]!];
        return sum + table[weight - 1]!.at(activation === IMAGE ? -2 : activation - 1)!;
      }, 0);
    const pinned = new Map([
      [0, 8],
      [1, 8],
      [2 * layers - 2, IMAGE],
      [2 * layers - 1, 8],
    ]);
    const before = order(golden.strategy_before);
    const places = before.map((_, index) => ({
      widths: from(golden.min_bit),
      ...(pinned.has(index) && { pinned: pinned.get(index)! }),
    }));
    const after = walkIntoBudget(before, { places, cost, limit: golden.target });
    tally.case((check) => {
      check(largestDifference(after, order(golden.strategy_after)), 0);
      check(relativeError(cost(before), golden.cost_before), 1e-12);
      check(relativeError(cost(after), golden.cost_after), 1e-12);
    });
  }
  for (const golden of size_budget) {
    const weights = golden.weights_per_layer.toReversed();
    const cost = (walked: readonly number[]) => walked.reduce((sum, bits, layer) => sum + bits * weights[layer]!, 0);
    const places = weights.map(() => ({ widths: from(golden.min_bit) }));
    const after = walkIntoBudget(golden.strategy_before.toReversed(), { places, cost, limit: golden.target_bits });
    tally.case((check) => {
      check(largestDifference(after, golden.strategy_after.toReversed()), 0);
      check(Math.abs(cost(after) - golden.bits_after), 0);
    });
  }
  return tally;
}
