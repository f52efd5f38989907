import fc from "fast-check";
import t from "tap";
import { wilsonInterval } from "../../src/tasks/wilson-interval.ts";

t.test("Wilson's interval has the known values", async (t) => {
  // p = 0.5, n = 100: centre 0.5, half width 1.96·sqrt(0.25/100 + 1.96²/40000)/(1 + 1.96²/100) = 0.0962.
  const [low, high] = wilsonInterval(50, 100);
  t.ok(Math.abs(low - 40.383) < 1e-3 && Math.abs(high - 59.617) < 1e-3, `${low} ${high}`);
});

t.test("it stays inside 0…100 and is open to one side at the ends", async (t) => {
  const [low, high] = wilsonInterval(100, 10);
  t.ok(high <= 100 && high > 99.999);
  // z²/(n + z²) = 3.8415/13.8415 is what is left above.
  t.ok(Math.abs(low - 72.246) < 1e-2, `${low}`);
  t.strictSame(wilsonInterval(0, 0), [0, 100]);
});

t.test("more images narrow it", async (t) => {
  const width = (images: number) => wilsonInterval(99, images)[1] - wilsonInterval(99, images)[0];
  t.ok(width(10_000) < width(1000));
});

t.test("it holds the proportion, stays in order and mirrors", async (t) => {
  const trials = fc.integer({ min: 1, max: 100_000 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(trials, fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const percentage = (100 * Math.round(share * n)) / n;
        const [low, high] = wilsonInterval(percentage, n);
        const [mirroredLow, mirroredHigh] = wilsonInterval(100 - percentage, n);
        const same = (one: number, other: number) => Math.abs(one - other) < 1e-6;
        return (
          low >= 0 &&
          high <= 100 &&
          low <= percentage + 1e-9 &&
          high >= percentage - 1e-9 &&
          same(low, 100 - mirroredHigh) &&
          same(high, 100 - mirroredLow)
        );
      }),
      { seed: 11 },
    ),
  );
});
