import type { WidthBudget } from "../config/sections/quantize-settings.ts";
import { at } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import { choiceOf, type WidthChoice, type WidthPicks } from "../quantization/product-knapsack.ts";
import { budgetText } from "./budget-text.ts";
import { budgetWidths, type HarmChoice, type HarmTable } from "./harm-table.ts";
import type { Measuring } from "./measure-harms.ts";
import { recalled } from "./memo.ts";
import { relativeBopsOf } from "./relative-bops.ts";
import { withMeasured } from "./row-choices.ts";
import { type ChosenWidths, chooserOf, costOf, endPicks, isSame, limitOf, sumOver, widthsOf } from "./width-budget.ts";

/** A width for each weight of a table, and for each activation where the budget chooses them. */
export interface WidthPlan extends ChosenWidths {
  /** uniform: one width; knapsack: the least sum of harms; refined: of harms measured around another plan. */
  readonly origin: "uniform" | "knapsack" | "refined";
  /** Of the packed codes. */
  readonly bytes: number;
  /** Bit operations in percent of those at 32 bits everywhere; null: the table does not tell. */
  readonly relativeBops: number | null;
  /** Of the network's outputs with everything at these widths (`OutputError`); null: it was not measured. */
  readonly error: number | null;
}

/** Plans are refined so many times at most. */
const ROUNDS = 2;

/**
 * The plan with the least error of all that were looked at: every uniform one that the budget allows, the one with the
 * least sum of harms, that of whole weights too where rows may have widths of their own, and what comes of measuring again
 * around the best. Without `measuring` that with the least sum.
 *
 * @returns All plans that were looked at, the best first.
 * @throws UsageError where no plan is within the budget.
 */
export async function planWidths(
  table: HarmTable,
  budget: WidthBudget,
  measuring: Measuring | null,
): Promise<readonly WidthPlan[]> {
  const { unit, limit } = limitOf(table, budget);
  const leastSum = (of: HarmTable) => chooserOf(of, unit)(limit);
  refuseTooSmall(table, budget);
  const picks = leastSum(table);
  if (picks === null) throw new Error("no plan is within a budget that the cheapest is within");
  const plans: WidthPlan[] = [];
  const look = async (origin: WidthPlan["origin"], picked: WidthPicks): Promise<WidthPlan> => {
    const widths = widthsOf(table, picked);
    const same = plans.find((other) => isSame(other, widths));
    if (same !== undefined) return same;
    const looked: WidthPlan = {
      ...{ origin, ...widths },
      bytes: sumOver(table, picked, ({ bytes }) => bytes),
      relativeBops: unit === "bops" ? relativeBopsOf(table, widths) : null,
      error: measuring && (await errorOf(table, widths, measuring)),
    };
    plans.push(looked);
    return looked;
  };
  let best = await look("knapsack", picks);
  if (measuring === null) return plans;
  const better = (plan: WidthPlan) => (plan.error ?? 0) < (best.error ?? 0);
  const whole = leastSum(withoutRows(table));
  if (whole !== null) {
    const looked = await look("knapsack", picksOf(table, widthsOf(withoutRows(table), whole)));
    if (better(looked)) best = looked;
  }
  for (const plan of uniformPlans(table, picks).filter((one) => costOf(table, unit, one) <= limit)) {
    const looked = await look("uniform", plan);
    if (better(looked)) best = looked;
  }
  for (let round = 0; round < ROUNDS; round++) {
    const again = leastSum(await measuredAround(table, best, measuring));
    const looked = again && (await look("refined", again));
    if (looked === null || !better(looked)) break;
    best = looked;
  }
  return [best, ...plans.filter((plan) => plan !== best)];
}

/** @throws UsageError where even the cheapest plan of a table is not within a budget. */
export function refuseTooSmall(table: HarmTable, budget: WidthBudget): void {
  const { unit, limit } = limitOf(table, budget);
  const picks = endPicks(table, Math.min);
  const least = costOf(table, unit, picks);
  if (least <= limit) return;
  const own = {
    stored: () => `the file takes at least ${least + table.rest} bytes`,
    bytes: () => `weights take at least ${Math.ceil(least)} bytes, of ${Math.floor(limit)}`,
    bops: () => {
      const percent = Math.ceil(100 * (relativeBopsOf(table, widthsOf(table, picks)) ?? 0)) / 100;
      return `the network takes at least ${percent} % of the bit operations at 32 bits everywhere`;
    },
  }[unit]();
  throw new UsageError(`--budget ${budgetText(budget)}: ${own}: give it more, or skip fewer layers`);
}

/** One width for all weights, and one for all activations where they are chosen; what has no such width keeps its own. */
function uniformPlans({ weights, activations }: HarmTable, { activations: chosen }: WidthPicks): readonly WidthPicks[] {
  const choose = (items: readonly { readonly choices: readonly WidthChoice[] }[], bits: number) =>
    items.map(({ choices }) => choiceOf(choices, bits));
  const widths = new Set(activations.flatMap(({ choices }) => choices.map(({ bits }) => bits)));
  const ofActivations = chosen.length === 0 ? [[]] : [...widths].map((bits) => choose(activations, bits));
  return budgetWidths.flatMap((bits) =>
    ofActivations.map((own) => ({ weights: choose(weights, bits), activations: own })),
  );
}

/** The table with one width for each weight, where it has a choice. */
const withoutRows = (table: HarmTable): HarmTable => ({
  ...table,
  weights: table.weights.map((weight) => {
    const whole = weight.choices.filter(({ channelBits }) => channelBits === undefined);
    return whole.length > 0 ? { ...weight, choices: whole } : weight;
  }),
});

/** Which choices of a table widths are. */
const picksOf = ({ weights, activations }: HarmTable, widths: ChosenWidths): WidthPicks => ({
  weights: widths.bits.map((bits, item) => choiceOf(at(weights, item).choices, bits)),
  activations: widths.activations.map((bits, item) => choiceOf(at(activations, item).choices, bits)),
});

function errorOf(
  { weights }: HarmTable,
  { bits, activations }: ChosenWidths,
  { error, candidates, gridsAt, memo }: Measuring,
): Promise<number> {
  const chosen = () => new Map(weights.map(({ key }, item) => [key, lookup(candidates, key)(at(bits, item))] as const));
  const key = ["plan", ...bits, ...(activations.length > 0 ? ["of", ...activations] : [])].join(" ");
  return recalled(memo, key, () => error.with(chosen(), gridsAt(activations)));
}

/**
 * The table with the error of the outputs when a plan is changed in one width, in place of the harms. Rows of several widths
 * that are not the plan's are told by the errors of the rows.
 */
async function measuredAround(table: HarmTable, plan: WidthPlan, measuring: Measuring): Promise<HarmTable> {
  const own = plan.error ?? 0;
  const weights: HarmTable["weights"] = [];
  for (const [item, weight] of table.weights.entries()) {
    const measured = new Map<HarmChoice, number>();
    for (const choice of weight.choices) {
      const bits = plan.bits.with(item, choice.bits);
      const isOwn = choice.bits === plan.bits[item];
      if (!isOwn && choice.channelBits !== undefined) continue;
      measured.set(choice, isOwn ? own : await errorOf(table, { ...plan, bits }, measuring));
    }
    weights.push({ ...weight, choices: withMeasured(weight.choices, measured) });
  }
  if (plan.activations.length === 0) return { ...table, weights };
  const activations: HarmTable["activations"] = [];
  for (const [item, activation] of table.activations.entries()) {
    const choices: typeof activation.choices = [];
    for (const choice of activation.choices) {
      const widths = { ...plan, activations: plan.activations.with(item, choice.bits) };
      const isOwn = choice.bits === plan.activations[item];
      choices.push({ ...choice, harm: isOwn ? own : await errorOf(table, widths, measuring) });
    }
    activations.push({ ...activation, choices });
  }
  return { ...table, weights, activations };
}
