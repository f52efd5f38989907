import fc from "fast-check";
import t from "tap";
import { differenceInterval } from "../../src/tasks/difference-interval.ts";

// Newcombe 1998, table II, method 10: contrasts (a), (b), (d) and (f).
const published = [
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [10, 10, 0, 20, 0.6791, 1],
] as const;

t.test("Newcombe's published intervals", async (t) => {
  for (const [a, m, b, n, low, high] of published) {
    const [from, to] = differenceInterval((100 * a) / m, (100 * b) / n, [m, n]);
    t.ok(Math.abs(from / 100 - low) < 5e-5 && Math.abs(to / 100 - high) < 5e-5, `${a}/${m} − ${b}/${n}: ${from}–${to}`);
  }
});

t.test("it holds the difference, and turns round with it", async (t) => {
  const share = fc.double({ min: 0, max: 100, noNaN: true });
  const trials = fc.integer({ min: 1, max: 10_000 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(share, share, trials, (one, other, images) => {
        const [low, high] = differenceInterval(one, other, [images, images]);
        const [back, forth] = differenceInterval(other, one, [images, images]);
        return (
          low <= one - other + 1e-9 &&
          high >= one - other - 1e-9 &&
          Math.abs(low + forth) < 1e-9 &&
          Math.abs(high + back) < 1e-9
        );
      }),
      { seed: 7 },
    ),
  );
});
