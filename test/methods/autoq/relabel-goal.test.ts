import fc from "fast-check";
import t from "tap";
import { goalsBetween, likeliestGoal } from "../../../src/methods/autoq/relabel-goal.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const kernel = fc.record({ slope: fc.double({ min: -2, max: 2, noNaN: true }), offset: unit, did: unit });
const cases = fc.record({ kernels: fc.array(kernel, { minLength: 1, maxLength: 12 }), original: unit, achieved: unit });

t.test(
  "for kernels linear in the goal it is the least-squares solution between the original and what they achieved",
  async (t) => {
    lawHolds(t, cases, ({ kernels, original, achieved }) => {
      const candidates = goalsBetween(original, achieved);
      const would = Array.from(candidates).flatMap((goal) => kernels.map(({ slope, offset }) => offset + slope * goal));
      const found = likeliestGoal(
        candidates,
        kernels.map(({ did }) => did),
        would,
      );
      const squares = kernels.reduce((sum, { slope }) => sum + slope * slope, 0);
      if (squares < 1e-6) return;
      const exact = kernels.reduce((sum, { slope, offset, did }) => sum + slope * (did - offset), 0) / squares;
      const [low, high] = [Math.min(original, achieved), Math.max(original, achieved)];
      const clamped = Math.min(high, Math.max(low, exact));
      expect(Math.abs(found - clamped) <= 1 / 64 + 1e-6, `${found}, not ${clamped}`);
    });
  },
);

t.test("the original goal stays where kernels do what they did", async (t) => {
  lawHolds(t, cases, ({ kernels, original, achieved }) => {
    const doing = (goal: number) => kernels.map(({ slope, offset }) => offset + slope * goal);
    const candidates = goalsBetween(original, achieved);
    expect(
      likeliestGoal(candidates, doing(original), Array.from(candidates).flatMap(doing)) === original,
      "it is the first",
    );
  });
});
