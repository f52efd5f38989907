import type { ActivationBits, WidthBudget } from "../config/sections/quantize-settings.ts";
import { at } from "../core/elements.ts";
import { leastHarm } from "../quantization/knapsack.ts";
import { choiceOf, productChooser, type WidthChoice, type WidthPicks } from "../quantization/product-knapsack.ts";
import type { HarmTable } from "./harm-table.ts";
import { bopsOf, fullBops } from "./relative-bops.ts";

/** What a budget counts: bytes of codes, of all that the file holds for weights, or bit operations. */
export type BudgetUnit = "bytes" | "stored" | "bops";

/** Bits of the weights and activations that a budget chooses, in the order of its table. */
export interface ChosenWidths {
  /** On average, where output channels of a weight have widths of their own. */
  readonly bits: readonly number[];
  /** None where the budget chooses none. */
  readonly activations: readonly ActivationBits[];
}

/** What a budget counts, and how much of it there may be. */
export function limitOf(table: HarmTable, budget: WidthBudget): { readonly unit: BudgetUnit; readonly limit: number } {
  const { weights, rest } = table;
  if ("bytes" in budget) return { unit: "stored", limit: budget.bytes - rest };
  if ("relativeBops" in budget) {
    return { unit: "bops", limit: (fullBops(table) * budget.relativeBops) / 100 };
  }
  const numbers = weights.reduce((sum, weight) => sum + weight.numbers, 0);
  const bits = "averageBits" in budget ? budget.averageBits : (32 * budget.relativeBytes) / 100;
  return { unit: "bytes", limit: (numbers * bits) / 8 };
}

/** What gives, for a limit, the picks with the least sum of harms; null where even the cheapest are beyond it. */
export function chooserOf(table: HarmTable, unit: BudgetUnit): (limit: number) => WidthPicks | null {
  if (unit === "bops") return productChooser(table);
  const items = table.weights.map(({ choices }) =>
    choices.map((choice) => ({ cost: choice[unit], harm: choice.harm })),
  );
  return (limit) => {
    const weights = leastHarm(items, limit);
    return weights && { weights, activations: [] };
  };
}

export function widthsOf({ weights, activations }: HarmTable, picks: WidthPicks): ChosenWidths {
  return {
    bits: picks.weights.map((choice, item) => at(at(weights, item).choices, choice).bits),
    activations: picks.activations.map((choice, item) => at(at(activations, item).choices, choice).bits),
  };
}

export const isSame = (one: ChosenWidths, other: ChosenWidths): boolean =>
  one.bits.every((width, item) => width === other.bits[item]) &&
  one.activations.every((width, item) => width === other.activations[item]);

/** The picks with the least or the most bits everywhere. */
export function endPicks({ weights, activations }: HarmTable, end: typeof Math.min | typeof Math.max): WidthPicks {
  const pick = ({ choices }: { readonly choices: readonly WidthChoice[] }) =>
    choiceOf(choices, end(...choices.map(({ bits }) => bits)));
  return { weights: weights.map(pick), activations: activations.map(pick) };
}

/** What picks cost. */
export function costOf(table: HarmTable, unit: BudgetUnit, picks: WidthPicks): number {
  if (unit !== "bops") return sumOver(table, picks, (choice) => choice[unit]);
  return bopsOf(table, widthsOf(table, picks));
}

/** A sum over the weights of a table. */
export const sumOver = (
  { weights }: HarmTable,
  picks: WidthPicks,
  of: (choice: HarmTable["weights"][number]["choices"][number]) => number,
): number => picks.weights.reduce((sum, choice, item) => sum + of(at(at(weights, item).choices, choice)), 0);
