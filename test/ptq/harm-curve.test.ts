import t from "tap";
import { harmCurve } from "../../src/ptq/harm-curve.ts";
import type { HarmTable } from "../../src/ptq/harm-table.ts";
import { planWidths } from "../../src/ptq/plan-widths.ts";
import { random } from "../fixtures/engines.ts";

const harms = random(1, "harms", [40, 3], 1).map(Math.abs);

/** Weights of such numbers, with made-up harms. */
const tableOf = (numbers: readonly number[]): HarmTable => ({
  ...{ measured: "outputs", samples: 4, rest: 0, activations: [], products: [] },
  weights: numbers.map((count, item) => ({
    ...{ key: `0 w${item}`, layers: [`l${item}`], numbers: count },
    choices: ([2, 4, 8] as const).map((bits, choice) => ({
      ...{ bits, bytes: (count * bits) / 8, stored: count },
      harm: (1 + (harms[3 * (item % 40) + choice] ?? 0)) * 10 ** -choice,
    })),
  })),
});

/** A plan of so many bytes. */
const ofBytes = (bytes: number) => ({ bytes, relativeBops: null });

/** Every plan of a table: its bytes and the sum of its harms. */
const allPlans = ({ weights }: HarmTable) =>
  weights.reduce<readonly { bytes: number; harm: number }[]>(
    (plans, { choices }) =>
      plans.flatMap((plan) =>
        choices.map(({ bytes, harm }) => ({ bytes: plan.bytes + bytes, harm: plan.harm + harm })),
      ),
    [{ bytes: 0, harm: 0 }],
  );

t.test("each point is the best of all plans within its budget", async (t) => {
  const numbers = [100, 5000, 64, 900, 2300, 333];
  const table = tableOf(numbers);
  const float = 4 * numbers.reduce((sum, count) => sum + count, 0);
  const curve = harmCurve(table, ofBytes(0.1 * float));
  t.ok(curve.length > 5);
  const plans = allPlans(table);
  for (const { budget, bytes, harm } of curve) {
    const limit = (Number.parseFloat(budget) * float) / 100;
    const best = Math.min(...plans.filter((plan) => plan.bytes <= limit).map((plan) => plan.harm));
    t.ok(Math.abs(harm - best) < 1e-12, `${budget}: ${harm}, at best ${best}`);
    t.ok(bytes <= limit);
  }
});

t.test("it goes from the cheapest plan to the one that needs no more, and falls", async (t) => {
  const curve = harmCurve(tableOf([100, 5000, 64, 900]), ofBytes(0));
  t.strictSame([curve[0]!.budget, curve[0]!.bits], ["6.25%", [2, 2, 2, 2]]);
  t.strictSame([curve.at(-1)!.budget, curve.at(-1)!.bits], ["25%", [8, 8, 8, 8]]);
  for (const [index, { bytes, harm }] of curve.slice(1).entries()) {
    t.ok(bytes > curve[index]!.bytes && harm < curve[index]!.harm);
  }
});

t.test("the run's own bytes are among the budgets", async (t) => {
  const table = tableOf([800, 51_200, 524_288, 5120]);
  const own = table.weights.reduce((sum, { numbers }) => sum + numbers / 2, 0);
  const budgets = harmCurve(table, ofBytes(own)).map(({ budget }) => budget);
  t.ok(budgets.includes("12.5%"), budgets.join(" "));
});

t.test("its budgets, given to the command, make its plans", async (t) => {
  const table = tableOf([100, 5000, 64, 900, 2300]);
  for (const { budget, bits } of harmCurve(table, ofBytes(0))) {
    const [plan] = await planWidths(table, { relativeBytes: Number.parseFloat(budget) }, null);
    t.strictSame(plan!.bits, bits, budget);
  }
});

t.test("a table of many weights has fewer points", async (t) => {
  const few = harmCurve(tableOf(Array.from({ length: 30 }, (_, item) => 100 + item)), ofBytes(0));
  const many = harmCurve(tableOf(Array.from({ length: 150 }, (_, item) => 100 + item)), ofBytes(0));
  t.ok(few.length > 15 && many.length < 13, `${few.length} and ${many.length}`);
});
