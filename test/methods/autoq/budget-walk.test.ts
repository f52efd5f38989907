import fc from "fast-check";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { lowestCost, walkIntoBudget } from "../../../src/methods/autoq/budget-walk.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const ladder = [0, 2, 4, 8];
const place = fc.record({
  width: fc.constantFrom(...ladder),
  price: fc.integer({ min: 0, max: 9 }),
  pinned: fc.option(fc.constantFrom(...ladder), { freq: 4 }),
});
const cases = fc.record({
  drawn: fc.array(place, { minLength: 1, maxLength: 12 }),
  share: fc.double({ min: 0, max: 1.2, noNaN: true }),
});

t.test("a walk ends within a budget that can be met, and lowers no more than it must", async (t) => {
  lawHolds(t, cases, ({ drawn, share }) => {
    const widths = drawn.map(({ width }) => width);
    const places = drawn.map(({ pinned }) => ({ widths: ladder, ...(pinned !== null && { pinned }) }));
    const cost = (all: readonly number[]) => all.reduce((sum, width, index) => sum + width * drawn[index]!.price, 0);
    const least = lowestCost({ places, cost });
    const limit = least + share * Math.max(0, cost(widths) - least);
    const walked = walkIntoBudget(widths, { places, cost, limit });
    expect(cost(walked) <= limit, "within the budget");
    if (cost(widths) <= limit) return expect(walked === widths, "what fits stays as it is");
    walked.forEach((width, index) => {
      const pinned = places[index]!.pinned;
      expect(pinned === undefined ? width <= widths[index]! : width === pinned, "only lower, or pinned");
      expect(ladder.includes(width), "one of the widths");
    });
  });
});

t.test("a budget that pinned places alone exceed is refused; HAQ's walk would go on for ever", async (t) => {
  const places = [{ widths: ladder }, { widths: ladder, pinned: 8 }];
  const cost = ([one = 0, two = 0]: readonly number[]) => one + two;
  t.throws(() => walkIntoBudget([8, 8], { places, cost, limit: 7 }), UserError);
  t.throws(() => walkIntoBudget([8, 8], { places, cost, limit: 7 }), { message: /cost 8, method.target is 7/ });
  t.strictSame(walkIntoBudget([8, 8], { places, cost, limit: 8 }), [0, 8]);
});
