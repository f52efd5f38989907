import { at } from "../core/elements.ts";
import { leastHarm } from "../quantization/knapsack.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { parseBudget } from "./byte-budget.ts";
import type { HarmTable } from "./harm-table.ts";
import { limitOf } from "./plan-widths.ts";

/** The least sum of harms within a budget. */
export interface CurvePoint {
  /** As `--budget` takes it: percent of the weights' bytes in float32. */
  readonly budget: string;
  /** In the table's order. */
  readonly bits: readonly WeightBits[];
  /** Of the packed codes. */
  readonly bytes: number;
  /** The sum of the harms. */
  readonly harm: number;
}

/** Of a table of more weights fewer budgets are solved: each takes longer. */
const WEIGHTS_PER_STEP = 100;

/**
 * The least sum of harms against bytes, solved exactly: of the smallest budget, of every whole percent above it (every
 * second one from 100 weights on, and so on), and of the one that has all that helps. Budgets that give the plan of a
 * smaller one are left out.
 *
 * @param own Bytes of a plan whose budget is to be among them.
 */
export function harmCurve(table: HarmTable, own: number): readonly CurvePoint[] {
  const items = table.weights.map(({ choices }) => choices.map((choice) => ({ ...choice, cost: choice.bytes })));
  const float = 4 * table.weights.reduce((sum, { numbers }) => sum + numbers, 0);
  const percentOf = (bytes: number) => Math.ceil((1e4 * bytes) / float) / 100;
  const ends = [Math.min, Math.max].map((pick) =>
    percentOf(items.reduce((sum, choices) => sum + pick(...choices.map(({ cost }) => cost)), 0)),
  );
  const [least = 0, most = 0] = ends;
  const percents = new Set([...ends, Math.min(most, Math.max(least, percentOf(own)))]);
  const step = Math.ceil(items.length / WEIGHTS_PER_STEP);
  for (let percent = Math.floor(least) + 1; percent < most; percent += step) percents.add(percent);
  const points: CurvePoint[] = [];
  for (const percent of [...percents].sort((one, other) => one - other)) {
    const budget = `${percent}%`;
    const picks = leastHarm(items, limitOf(table, parseBudget(budget)).limit);
    if (picks === null) continue;
    const chosen = picks.map((choice, item) => at(at(items, item), choice));
    const bits = chosen.map((choice) => choice.bits);
    if (points.at(-1)?.bits.every((width, item) => width === bits[item])) continue;
    const sum = (of: (choice: (typeof chosen)[number]) => number) =>
      chosen.reduce((total, choice) => total + of(choice), 0);
    points.push({ budget, bits, bytes: sum(({ bytes }) => bytes), harm: sum(({ harm }) => harm) });
  }
  return points;
}
