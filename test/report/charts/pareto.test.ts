import fc from "fast-check";
import t from "tap";
import { dominates, paretoFront } from "../../../src/report/charts/pareto.ts";

const seed = 3;
/** Few different values: ties and equal points are what goes wrong. */
const point = fc.record({ cost: fc.integer({ min: 0, max: 6 }), gain: fc.integer({ min: 0, max: 6 }) });
const points = fc.array(point, { maxLength: 20 });

t.test("the front of a known set", async (t) => {
  const front = paretoFront([
    { cost: 3, gain: 9 },
    { cost: 1, gain: 5 },
    { cost: 2, gain: 4 },
    { cost: 2, gain: 7 },
    { cost: 3, gain: 8 },
  ]);
  t.strictSame(front, [
    { cost: 1, gain: 5 },
    { cost: 2, gain: 7 },
    { cost: 3, gain: 9 },
  ]);
  t.strictSame(paretoFront([]), []);
});

t.test("a point is on the front if and only if nothing dominates it", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(points, (all) => {
        const front = new Set(paretoFront(all));
        return all.every((one) => front.has(one) === !all.some((other) => dominates(other, one)));
      }),
      { seed },
    ),
  );
});

t.test("the front rises and does not depend on the order", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(points, (all) => {
        const front = paretoFront(all);
        const rises = front.every(
          ({ cost, gain }, index) => index === 0 || (cost >= front[index - 1]!.cost && gain >= front[index - 1]!.gain),
        );
        const text = (some: readonly { cost: number; gain: number }[]) => JSON.stringify(some);
        return rises && text(paretoFront(all.toReversed())) === text(front);
      }),
      { seed },
    ),
  );
});

t.test("what dominates is never dominated back", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(point, point, (one, other) => !(dominates(one, other) && dominates(other, one))),
      { seed },
    ),
  );
});
