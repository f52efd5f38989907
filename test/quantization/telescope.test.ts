import fc from "fast-check";
import t from "tap";
import { movedWeights, telescope, telescopeGradient } from "../../src/quantization/telescope.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 1e-3, max: 0.999, noNaN: true }));
/** Of some groups, each with four gates: [4, groups]; what comes of each weight, [5, groups]; which gates move. */
const cases = fc.integer({ min: 1, max: 3 }).chain((groups) => {
  const rows = <T>(of: fc.Arbitrary<T>, levels: number) =>
    fc.array(of, { minLength: levels * groups, maxLength: levels * groups });
  return fc.record({
    groups: fc.constant(groups),
    gates: rows(gate, 4).map((values) => Float64Array.from(values)),
    byWeight: rows(fc.double({ min: -1, max: 1, noNaN: true }), 5).map((values) => Float64Array.from(values)),
    moves: rows(fc.constantFrom(0, 0, 0.5), 4).map((values) => Float64Array.from(values)),
  });
});

/** The row of one group. */
const groupOf = (values: Float64Array, group: number, groups: number) =>
  values.filter((_, index) => index % groups === group);

t.test("the weights of each group share out 1 over the grids of 2 to 32 bits", async (t) => {
  lawHolds(t, cases, ({ gates, groups }) => {
    const all = telescope(gates);
    for (let group = 0; group < groups; group++) {
      const weights = groupOf(all, group, groups);
      const [z4 = 0, z8 = 0, z16 = 0, z32 = 0] = groupOf(gates, group, groups);
      const reached = [1, z4, z4 * z8, z4 * z8 * z16, z4 * z8 * z16 * z32, 0];
      expect(
        weights.every((weight) => weight >= 0),
        "a negative weight",
      );
      expect(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12, "they do not sum to 1");
      weights.forEach((weight, level) => {
        const expected = reached[level]! - reached[level + 1]!;
        expect(Math.abs(weight - expected) < 1e-12, `level ${level}: ${weight}`);
      });
    }
  });
});

t.test("gates at 0 or 1 leave the grid below the first closed one", async (t) => {
  const weights = (...z: number[]) => [...telescope(Float64Array.from(z))];
  t.strictSame(weights(0, 1, 1, 1), [1, 0, 0, 0, 0]);
  t.strictSame(weights(1, 1, 0, 1), [0, 0, 1, 0, 0]);
  t.strictSame(weights(1, 1, 1, 1), [0, 0, 0, 0, 1]);
});

t.test("a sum over the weights is linear in each gate: its gradient is the whole difference", async (t) => {
  lawHolds(t, cases, ({ gates, byWeight }) => {
    const sum = (gates: Float64Array) => telescope(gates).reduce((sum, weight, i) => sum + weight * byWeight[i]!, 0);
    telescopeGradient(gates, byWeight).forEach((slope, index) => {
      const difference = sum(gates.with(index, 1)) - sum(gates.with(index, 0));
      expect(Math.abs(slope - difference) < 1e-12, `gate ${index}: ${slope}, ${difference}`);
    });
  });
});

t.test("a weight is moved where a gate that moves changes it, and its gradient is read nowhere else", async (t) => {
  lawHolds(t, cases, ({ gates, groups, moves, byWeight }) => {
    const moved = movedWeights(gates, moves);
    for (let level = 0; level < 5; level++) {
      const changes = Array.from(gates.keys()).some((index) => {
        if (moves[index] === 0) return false;
        const weights = [0, 1].map((value) => telescope(gates.with(index, value)));
        const place = level * groups + (index % groups);
        return weights[0]![place] !== weights[1]![place];
      });
      expect(moved[level] === changes, `level ${level}: ${moved[level]}`);
    }
    const needed = byWeight.map((value, index) => (moved[Math.floor(index / groups)] ? value : 0));
    const [slopes, same] = [byWeight, needed].map((values) => telescopeGradient(gates, values));
    moves.forEach((move, index) => {
      if (move !== 0) expect(Math.abs(slopes![index]! - same![index]!) < 1e-12, `gate ${index}`);
    });
  });
});
