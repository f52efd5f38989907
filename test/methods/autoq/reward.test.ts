import fc from "fast-check";
import t from "tap";
import { extrinsicReward, intrinsicReward, zetaAt } from "../../../src/methods/autoq/reward.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const bits = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 20 });
const real = fc.double({ min: -5, max: 5, noNaN: true });
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

t.test("without a share of the extrinsic reward the goal is best exactly where the mean meets it", async (t) => {
  lawHolds(t, fc.tuple(bits, fc.double({ min: 0, max: 8, noNaN: true }), real), ([bits, goal, extrinsic]) => {
    const reward = intrinsicReward({ zeta: 0, goal, bits, extrinsic });
    expect(reward <= 0, "nothing is above 0");
    expect(Math.abs(reward + bits.length * Math.abs(goal - mean(bits))) < 1e-9, "and 0 is the mean");
  });
});

t.test("with the whole share it is the sum of the extrinsic reward over kernels", async (t) => {
  lawHolds(t, fc.tuple(bits, real), ([bits, extrinsic]) => {
    expect(intrinsicReward({ zeta: 1, goal: 3, bits, extrinsic }) === bits.length * extrinsic, "it is");
  });
});

t.test("doubling the cost takes b·log 2 off, in whatever unit it is", async (t) => {
  const objective = { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 } as const;
  const cases = fc.record({
    score: fc.double({ min: 1, max: 100, noNaN: true }),
    cost: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
    unit: fc.double({ min: 0.01, max: 1e3, noNaN: true }),
  });
  lawHolds(t, cases, ({ score, cost, unit }) => {
    const reward = (times: number, score: number) => extrinsicReward(objective, { score, cost: times * cost }, 100);
    expect(Math.abs(reward(1, score) - reward(2, score) - 0.5 * Math.log(2)) < 1e-9, "half a logarithm of 2");
    const shift = reward(unit, score) - reward(1, score);
    expect(Math.abs(reward(unit, 50) - reward(1, 50) - shift) < 1e-9, "units are a constant");
  });
});

t.test("under a budget only the score counts, against that in float32", async (t) => {
  const reward = (score: number, cost: number) =>
    extrinsicReward({ name: "resource-constrained" }, { score, cost }, 99);
  t.equal(reward(99, 1), 0);
  t.equal(reward(89, 1), -1);
  t.equal(reward(89, 2), -1);
});

t.test("zeta grows from its first value to its last", async (t) => {
  const range = { from: 0.1, to: 0.8 };
  t.equal(zetaAt(0, 100, range), 0.1);
  t.equal(zetaAt(99, 100, range), 0.8);
  t.ok(zetaAt(50, 100, range) > zetaAt(49, 100, range));
  t.equal(zetaAt(0, 1, range), 0.8);
});
