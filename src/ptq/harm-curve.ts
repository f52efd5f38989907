import { at } from "../core/elements.ts";
import type { WidthPicks } from "../quantization/product-knapsack.ts";
import { parseBudget } from "./budget-text.ts";
import type { HarmTable } from "./harm-table.ts";
import type { WidthPlan } from "./plan-widths.ts";
import { relativeBopsOf } from "./relative-bops.ts";
import {
  type BudgetUnit,
  type ChosenWidths,
  chooserOf,
  costOf,
  endPicks,
  isSame,
  limitOf,
  sumOver,
  widthsOf,
} from "./width-budget.ts";

/** The least sum of harms within a budget; widths in the table's order. */
export interface CurvePoint extends ChosenWidths {
  /** As `--budget` takes it: percent of the weights' bytes in float32, or of the bit operations at 32 bits everywhere. */
  readonly budget: string;
  /** Of the packed codes. */
  readonly bytes: number;
  /** Percent; null where budgets are of bytes. */
  readonly relativeBops: number | null;
  /** The sum of the harms. */
  readonly harm: number;
}

/** Of a table of more choices fewer budgets are solved: each takes longer. */
const CHOICES_PER_STEP = 300;

/** Which percents are solved: how a budget of them is written, and how far one is from the next. */
const scales = {
  bytes: { prefix: "", step: () => 1 },
  // Where all multiply in few bits a percent changes much.
  bops: { prefix: "bops:", step: (percent: number) => (percent < 8 ? 0.5 : 1) },
} as const satisfies Partial<Record<BudgetUnit, object>>;

/**
 * The least sum of harms against bytes, solved exactly: of the smallest budget, of every whole percent above it (every
 * second one from 300 choices on, which 100 weights have, and so on), and of the one that has all that helps; against bit operations where a plan
 * was chosen by them, of every half percent below 8. Budgets that give the plan of a smaller one are left out.
 *
 * @param own A plan whose budget is to be among them.
 */
export function harmCurve(table: HarmTable, own: Pick<WidthPlan, "bytes" | "relativeBops">): readonly CurvePoint[] {
  const unit = own.relativeBops === null ? "bytes" : "bops";
  const { prefix, step } = scales[unit];
  const limitFor = (budget: string) => limitOf(table, parseBudget(budget)).limit;
  const full = limitFor(`${prefix}100%`);
  const percentOf = (cost: number) => Math.ceil((1e4 * cost) / full) / 100;
  const least = percentOf(costOf(table, unit, endPicks(table, Math.min)));
  const most = percentOf(costOf(table, unit, endPicks(table, Math.max)));
  const ofOwn = own.relativeBops === null ? percentOf(own.bytes) : Math.ceil(100 * own.relativeBops) / 100;
  const percents = new Set([least, most, Math.min(most, Math.max(least, ofOwn))]);
  const choices = table.weights.reduce((sum, weight) => sum + weight.choices.length, 0);
  const each = Math.ceil(choices / CHOICES_PER_STEP);
  for (let percent = Math.floor(least) + step(least); percent < most; percent += each * step(percent)) {
    if (percent > least) percents.add(percent);
  }
  const choose = chooserOf(table, unit);
  const points: CurvePoint[] = [];
  for (const percent of [...percents].sort((one, other) => one - other)) {
    const budget = `${prefix}${percent}%`;
    const picks = choose(limitFor(budget));
    if (picks === null) continue;
    const widths = widthsOf(table, picks);
    const last = points.at(-1);
    if (last !== undefined && isSame(last, widths)) continue;
    points.push({
      ...{ budget, ...widths },
      bytes: sumOver(table, picks, ({ bytes }) => bytes),
      relativeBops: unit === "bops" ? relativeBopsOf(table, widths) : null,
      harm: harmOf(table, picks),
    });
  }
  return points;
}

const harmOf = (table: HarmTable, picks: WidthPicks): number =>
  sumOver(table, picks, ({ harm }) => harm) +
  picks.activations.reduce((sum, choice, item) => sum + at(at(table.activations, item).choices, choice).harm, 0);
