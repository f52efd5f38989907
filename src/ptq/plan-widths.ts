import type { ByteBudget } from "../config/sections/quantize-settings.ts";
import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { leastHarm } from "../quantization/knapsack.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { budgetText } from "./byte-budget.ts";
import { budgetWidths, type HarmTable } from "./harm-table.ts";
import type { Measuring } from "./measure-harms.ts";
import { recalled } from "./memo.ts";

/** A width for each weight of a table. */
export interface WidthPlan {
  /** uniform: one width; knapsack: the least sum of harms; refined: of harms measured around another plan. */
  readonly origin: "uniform" | "knapsack" | "refined";
  readonly bits: readonly WeightBits[];
  /** Of the packed codes. */
  readonly bytes: number;
  /** Of the network's outputs with all weights at these widths (`OutputError`); null: it was not measured. */
  readonly error: number | null;
}

/** Plans are refined so many times at most. */
const ROUNDS = 2;

type BudgetUnit = "bytes" | "stored";

/** What a budget counts, and how much of it there may be. */
export function limitOf(
  { weights, rest }: HarmTable,
  budget: ByteBudget,
): { readonly costs: BudgetUnit; readonly limit: number } {
  const numbers = weights.reduce((sum, weight) => sum + weight.numbers, 0);
  if ("bytes" in budget) return { costs: "stored", limit: budget.bytes - rest };
  const bits = "averageBits" in budget ? budget.averageBits : (32 * budget.relativeBytes) / 100;
  return { costs: "bytes", limit: (numbers * bits) / 8 };
}

/**
 * The plan with the least error of all that were looked at: every uniform one that the budget allows, the one with the
 * least sum of harms, and what comes of measuring again around the best. Without `measuring` that with the least sum.
 *
 * @returns All plans that were looked at, the best first.
 * @throws UsageError where no plan is within the budget.
 */
export async function planWidths(
  table: HarmTable,
  budget: ByteBudget,
  measuring: Measuring | null,
): Promise<readonly WidthPlan[]> {
  const { costs, limit } = limitOf(table, budget);
  const items = table.weights.map(({ choices }) =>
    choices.map(({ harm, ...choice }) => ({ ...choice, cost: choice[costs], harm })),
  );
  const picks = leastHarm(items, limit);
  if (picks === null) {
    const least = items.reduce((sum, choices) => sum + Math.min(...choices.map(({ cost }) => cost)), 0);
    const own =
      costs === "stored"
        ? `the file takes at least ${least + table.rest} bytes`
        : `weights take at least ${Math.ceil(least)} bytes, of ${Math.floor(limit)}`;
    throw new UsageError(`--budget ${budgetText(budget)}: ${own}: give it more, or skip fewer layers`);
  }
  const cost = (plan: readonly number[]) =>
    plan.reduce((sum, choice, item) => sum + at(at(items, item), choice).cost, 0);
  const uniform = budgetWidths
    .map((bits) =>
      items.map((choices) =>
        Math.max(
          0,
          choices.findIndex((choice) => choice.bits === bits),
        ),
      ),
    )
    .filter((plan) => cost(plan) <= limit);
  const plans: WidthPlan[] = [];
  const look = async (origin: WidthPlan["origin"], plan: readonly number[]): Promise<WidthPlan> => {
    const chosen = plan.map((choice, item) => at(at(items, item), choice));
    const bits = chosen.map((choice) => choice.bits);
    const same = plans.find((other) => other.bits.every((width, item) => width === bits[item]));
    if (same !== undefined) return same;
    const bytes = chosen.reduce((sum, choice) => sum + choice.bytes, 0);
    const looked = { origin, bits, bytes, error: measuring && (await errorOf(table, bits, measuring)) };
    plans.push(looked);
    return looked;
  };
  let best = await look("knapsack", picks);
  if (measuring === null) return plans;
  const better = (plan: WidthPlan) => (plan.error ?? 0) < (best.error ?? 0);
  for (const plan of uniform) {
    const looked = await look("uniform", plan);
    if (better(looked)) best = looked;
  }
  for (let round = 0; round < ROUNDS; round++) {
    const around = await harmsAround(table, best, measuring);
    const again = leastHarm(
      items.map((choices, item) => choices.map((choice, index) => ({ ...choice, harm: at(at(around, item), index) }))),
      limit,
    );
    const looked = again && (await look("refined", again));
    if (looked === null || !better(looked)) break;
    best = looked;
  }
  return [best, ...plans.filter((plan) => plan !== best)];
}

function errorOf(
  { weights }: HarmTable,
  bits: readonly WeightBits[],
  { error, candidates, memo }: Measuring,
): Promise<number> {
  const chosen = () =>
    new Map(weights.map(({ key }, item) => [key, lookup(lookup(candidates, key), at(bits, item))] as const));
  return recalled(memo, `plan ${bits.join(" ")}`, () => error.with(chosen()));
}

/** The error of the outputs when a plan is changed in one weight, by weight and choice. */
async function harmsAround(
  table: HarmTable,
  plan: WidthPlan,
  measuring: Measuring,
): Promise<readonly (readonly number[])[]> {
  const own = plan.error ?? 0;
  const harms: number[][] = [];
  for (const [item, { choices }] of table.weights.entries()) {
    const row: number[] = [];
    for (const { bits } of choices) {
      const changed = plan.bits.map((width, other) => (other === item ? bits : width));
      row.push(bits === plan.bits[item] ? own : await errorOf(table, changed, measuring));
    }
    harms.push(row);
  }
  return harms;
}
