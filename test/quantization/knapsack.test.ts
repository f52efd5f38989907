import fc from "fast-check";
import t from "tap";
import { type Choice, leastHarm } from "../../src/quantization/knapsack.ts";
import { lawHolds } from "../fixtures/laws.ts";

const choice = fc.record({ cost: fc.integer({ min: 0, max: 30 }), harm: fc.integer({ min: 0, max: 1000 }) });
const problems = fc.record({
  items: fc.array(fc.array(choice, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
  limit: fc.integer({ min: 0, max: 120 }),
});

/** The least harm of all plans; infinity where none fits. */
function exhaustive([item, ...rest]: readonly (readonly Choice[])[], limit: number): number {
  if (limit < 0) return Number.POSITIVE_INFINITY;
  if (item === undefined) return 0;
  return Math.min(...item.map(({ cost, harm }) => harm + exhaustive(rest, limit - cost)));
}

t.test("no plan within the limit harms less", async (t) => {
  lawHolds(
    t,
    problems,
    ({ items, limit }) => {
      const least = exhaustive(items, limit);
      const plan = leastHarm(items, limit);
      if (plan === null) {
        t.equal(least, Number.POSITIVE_INFINITY);
        return;
      }
      const chosen = items.map((choices, item) => choices[plan[item]!]!);
      t.equal(plan.length, items.length);
      t.ok(chosen.reduce((sum, { cost }) => sum + cost, 0) <= limit);
      t.equal(
        chosen.reduce((sum, { harm }) => sum + harm, 0),
        least,
      );
    },
    1000,
  );
});

t.test("hundreds of tensors of any sizes take no time", async (t) => {
  const items = Array.from({ length: 300 }, (_, item) => {
    const numbers = 1000 + ((item * 7919) % 99991);
    const scale = 1 + ((item * 104729) % 1009);
    return [2, 4, 8].map((bits) => ({ cost: (numbers * bits) / 8, harm: (scale * numbers) / 4 ** bits }));
  });
  const all = items.reduce((sum, choices) => sum + choices[2]!.cost, 0);
  const plan = leastHarm(items, all / 2);
  t.equal(plan?.length, 300);
  t.equal(new Set(plan).size, 3);
});
