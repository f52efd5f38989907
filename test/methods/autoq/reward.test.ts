import fc from "fast-check";
import t from "tap";
import { extrinsicReward, intrinsicReward, type Reference, zetaAt } from "../../../src/methods/autoq/reward.ts";
import type { SearchObjective } from "../../../src/methods/method.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const bits = fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 20 });
const near = (one: number, other: number) => Math.abs(one - other) <= 1e-9 * (1 + Math.abs(other));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

t.test("without a share of the extrinsic reward kernels are paid for nothing but their mean", async (t) => {
  const reward = (of: readonly number[], goal: number, extrinsic: number) =>
    intrinsicReward({ zeta: 0, goal, bits: of, extrinsic });
  lawHolds(t, fc.tuple(bits, bits, between(-5, 5), between(-5, 5)), ([met, drawn, one, other]) => {
    const goal = sum(met) / met.length;
    const others = met.map((_, kernel) => drawn[kernel % drawn.length]!);
    const [best, reached] = [reward(met, goal, one), reward(others, goal, other)];
    if (sum(others) === sum(met)) return expect(near(reached, best), "whichever kernels have them");
    expect(reached < best, "largest where the mean is the goal");
    const halfway = others.map((width, kernel) => (width + met[kernel]!) / 2);
    expect(near(reward(halfway, goal, other) - best, (reached - best) / 2), "and falls as the mean goes away");
  });
});

t.test("with the whole share kernels are paid for the network alone, each the same", async (t) => {
  const reward = (of: readonly number[], goal: number, extrinsic: number) =>
    intrinsicReward({ zeta: 1, goal, bits: of, extrinsic });
  lawHolds(t, fc.tuple(bits, bits, between(0, 8), between(-5, 5)), ([one, other, goal, extrinsic]) => {
    expect(reward([0], goal, extrinsic) === extrinsic, "one kernel gets it all");
    const apart = reward(one, goal, extrinsic) + reward(other, 8 - goal, extrinsic);
    expect(near(reward([...one, ...other], goal, extrinsic), apart), "whatever the goal");
  });
});

const percent: Reference = { score: 90, isShare: true };
const guaranteed: SearchObjective = { name: "accuracy-guaranteed", scorePower: 2, costPower: 0.5 };
const constrained: SearchObjective = { name: "resource-constrained" };

t.test("without a budget twice the cost takes b·log 2 off, in whatever unit both are", async (t) => {
  const cases = fc.record({
    one: fc.record({ score: between(1, 100), cost: between(0.01, 1e6) }),
    other: fc.record({ score: between(1, 100), cost: between(0.01, 1e6) }),
    unit: between(0.01, 1e3),
  });
  lawHolds(t, cases, ({ one, other, unit }) => {
    const reward = (score: number, cost: number) => extrinsicReward(guaranteed, { score, cost }, percent);
    const { score, cost } = one;
    expect(near(reward(score, cost) - reward(score, 2 * cost), Math.log(2) / 2), "of the cost");
    expect(near(reward(2 * score, cost) - reward(score, cost), 2 * Math.log(2)), "of the score");
    const better = (unit: number) => reward(score, unit * cost) - reward(other.score, unit * other.cost);
    expect(near(better(unit), better(1)), "a unit is the same for all");
  });
});

t.test("a score of nothing, or below, has a reward too, and a smaller one than any", async (t) => {
  lawHolds(t, fc.tuple(between(-1e3, 0), between(0.1, 100), fc.boolean()), ([none, some, isShare]) => {
    const reward = (score: number) => extrinsicReward(guaranteed, { score, cost: 1 }, { score: 90, isShare });
    expect(Number.isFinite(reward(none)) && reward(none) < reward(some), `${reward(none)}`);
  });
});

t.test("under a budget a point of percent is a tenth, and costs do not count", async (t) => {
  const cases = fc.record({ score: between(0, 99), float: between(0, 100), cost: between(0.1, 100) });
  lawHolds(t, cases, ({ score, float, cost }) => {
    const reward = (score: number, cost: number) =>
      extrinsicReward(constrained, { score, cost }, { score: float, isShare: true });
    expect(near(reward(score + 1, cost) - reward(score, 2 * cost), 0.1), "HAQ's");
    expect(reward(float, cost) === 0, "float32 is 0");
  });
});

t.test("the unit of what is no percentage has no say in its reward", async (t) => {
  const cases = fc.record({ loss: between(0, 3), float: between(0.01, 1), unit: between(1e-4, 1e4) });
  lawHolds(t, cases, ({ loss, float, unit }) => {
    const reward = (unit: number) =>
      extrinsicReward(
        constrained,
        { score: -unit * (float + loss), cost: 1 },
        { score: -unit * float, isShare: false },
      );
    expect(near(reward(unit), reward(1)), "an error in metres is one in millimetres");
    expect(near(reward(unit), (-10 * loss) / float), "a tenth more takes 1 off");
  });
  const exact = { score: -0, isShare: false };
  t.equal(
    extrinsicReward(constrained, { score: -1, cost: 1 }, exact),
    -10,
    "and a network without error has one as well",
  );
});

t.test("zeta grows from its first value to its last", async (t) => {
  const range = { from: 0.1, to: 0.8 };
  t.equal(zetaAt(0, 100, range), 0.1);
  t.equal(zetaAt(99, 100, range), 0.8);
  t.ok(zetaAt(50, 100, range) > zetaAt(49, 100, range));
  t.equal(zetaAt(0, 1, range), 0.8);
});
