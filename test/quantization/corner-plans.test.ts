import fc from "fast-check";
import t from "tap";
import { cornerPlans } from "../../src/quantization/corner-plans.ts";
import type { Choice } from "../../src/quantization/knapsack.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const choice = fc.record({ cost: fc.integer({ min: 0, max: 20 }), harm: fc.integer({ min: 0, max: 1000 }) });
const problems = fc.record({
  items: fc.array(fc.array(choice, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
  limits: fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 })
    .map((all) => all.sort((a, b) => a - b)),
});

const sums = (items: readonly (readonly Choice[])[], picks: readonly number[]) => {
  const chosen = items.map((choices, item) => choices[picks[item]!]!);
  return {
    cost: chosen.reduce((sum, { cost }) => sum + cost, 0),
    harm: chosen.reduce((sum, { harm }) => sum + harm, 0),
  };
};

/** Costs and harms of all plans. */
const all = ([item, ...rest]: readonly (readonly Choice[])[]): readonly Choice[] =>
  item === undefined
    ? [{ cost: 0, harm: 0 }]
    : all(rest).flatMap(({ cost, harm }) => item.map((own) => ({ cost: cost + own.cost, harm: harm + own.harm })));

t.test("plans are within their limits, and nothing that costs no more harms less", async (t) => {
  lawHolds(
    t,
    problems,
    ({ items, limits }) => {
      const every = all(items);
      const cheapest = Math.min(...every.map(({ cost }) => cost));
      for (const [index, picks] of cornerPlans(items, limits).entries()) {
        const limit = limits[index]!;
        expect((picks === null) === cheapest > limit, "there is a plan where the cheapest fits");
        if (picks === null) continue;
        const { cost, harm } = sums(items, picks);
        expect(cost <= limit, "within the limit");
        expect(
          every.every((other) => other.cost > cost || other.harm >= harm),
          "nothing that costs no more harms less",
        );
      }
    },
    300,
  );
});

t.test("with room for all, every item has its least harm", async (t) => {
  const items = Array.from({ length: 30_000 }, (_, row) =>
    [2, 4, 8].map((bits) => ({ cost: bits, harm: (1 + ((row * 7919) % 997)) / 4 ** bits })),
  );
  const [half, full] = cornerPlans(items, [120_000, 240_000]);
  t.equal(sums(items, half!).cost, 120_000);
  t.ok(full!.every((choice) => choice === 2));
});
