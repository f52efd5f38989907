import fc from "fast-check";
import t from "tap";
import {
  coveringStep,
  largestMagnitude,
  rangeOf,
  searchGrid,
  signalToNoiseStep,
  stepRules,
  symmetricGridBy,
  weightGrids,
} from "../../src/quantization/scale-search.ts";
import { decode, nearestCodes, symmetricCodes, symmetricGrid, weightBits } from "../../src/quantization/weight-grid.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

/** Subnormal weights lose digits. */
const value = fc.float({ min: -4, max: 4, noNaN: true }).map((value) => (Math.abs(value) < 1e-6 ? 0 : value));
const values = fc.array(value, { minLength: 1, maxLength: 30 });
const bits = fc.constantFrom(...weightBits);

/** Of nearest rounding on the symmetric grid with this step: the error's powers summed, what is clipped weighted. */
function errorAt(values: readonly number[], bits: number, step: number, { power = 2, clipWeight = 1 } = {}): number {
  const matrix = { values: Float32Array.from(values), outputs: 1, inputs: values.length };
  const grid = symmetricGrid(bits, step);
  const reach = (grid.highest + 0.5) * grid.step;
  return decode(nearestCodes(matrix, [grid]), [grid.step], values.length).reduce((sum, value, i) => {
    const weight = Math.abs(values[i]!) > reach ? clipWeight : 1;
    return sum + weight * Math.abs(value - values[i]!) ** power;
  }, 0);
}

t.test("a range reaches from the smallest to the largest value, and to 0 where asked", async (t) => {
  t.strictSame(rangeOf([3, 1, 2], { withZero: false }), { low: 1, high: 3 });
  t.strictSame(rangeOf([3, 1, 2], { withZero: true }), { low: 0, high: 3 });
  t.strictSame(rangeOf([-3, -1], { withZero: true }), { low: -3, high: 0 });
  t.equal(largestMagnitude([-3, 2]), 3);
  t.equal(largestMagnitude([1, 2]), 2);
  t.equal(coveringStep({ low: -6, high: 2 }, { lowest: -2, highest: 2 }), 3);
  t.equal(coveringStep({ low: -2, high: 6 }, { lowest: -2, highest: 2 }), 3);
});

t.test("the largest weight's step puts the outermost code on it", async (t) => {
  lawHolds(t, fc.record({ values, bits }), ({ values, bits }) => {
    const { step, highest } = symmetricGridBy("max", bits, values);
    const largest = Math.max(...values.map(Math.abs));
    expect(largest === 0 || Math.abs((step * highest) / largest - 1) < 1e-6, `${step * highest}, not ${largest}`);
  });
});

t.test("of the shrunk grids the mse search takes the first of the least error", async (t) => {
  lawHolds(t, fc.record({ values, bits }), ({ values, bits }) => {
    const largest = Math.max(...values.map(Math.abs)) / symmetricCodes(bits).highest;
    const tried: number[] = [];
    const { grid, score } = searchGrid(values, (shrink) => {
      tried.push(shrink);
      return symmetricGrid(bits, largest * shrink);
    });
    expect(Math.max(...tried) === 1 && Math.abs(Math.min(...tried) - 0.21) < 1e-9, `${tried}`);
    const errors = tried.map((shrink) => errorAt(values, bits, largest * shrink, { power: 2.4 }) / values.length);
    const least = Math.min(...errors);
    expect(Math.abs(score - least) <= 1e-9 * (1 + least), `${score}, the least is ${least}`);
    expect(
      Math.abs(errorAt(values, bits, grid.step, { power: 2.4 }) / values.length - score) <= 1e-9,
      "of another grid",
    );
    const first = tried[errors.findIndex((error) => error <= least + 1e-12)]!;
    expect(grid.step >= symmetricGrid(bits, largest * first).step * (1 - 1e-6), `${grid.step} is not the first`);
  });
});

t.test("the signal-to-noise search comes as near to the least error as its bins let it", async (t) => {
  const many = fc.array(value, { minLength: 4, maxLength: 60 });
  lawHolds(t, fc.record({ many, bits: fc.constantFrom(2, 3, 4) }), ({ many, bits }) => {
    const codes = symmetricCodes(bits);
    const found = signalToNoiseStep(many, codes);
    const largest = Math.max(...many.map(Math.abs));
    if (largest < 0.01) return;
    const noise = (step: number) => errorAt(many, bits, step, { clipWeight: 3 });
    const steps = Array.from({ length: 101 }, (_, i) => ((i + 1) / 100) * (largest / codes.highest));
    const least = Math.min(...steps.map(noise));
    // Half a bin's width moves each value by up to 2 thousandths of the largest.
    const slack = many.length * largest ** 2 * 0.01;
    expect(noise(found) <= least + slack, `${noise(found)} at ${found}, the least is ${least}`);
    expect(found <= 1.01 * (largest / codes.highest) * (1 + 1e-9), `${found} is beyond the largest`);
  });
});

t.test("a value alone is on its grid; zeros have no step", async (t) => {
  t.equal(signalToNoiseStep([0, 0], symmetricCodes(4)), 0);
  const step = signalToNoiseStep([-2], symmetricCodes(2));
  t.ok(Math.abs(step - 2) < 1e-9, `${step}`);
});

t.test("per channel each output has the grid of its own weights, per tensor all have that of all", async (t) => {
  const matrix = { values: Float32Array.of(1, -0.5, 0.25, 8, 4, -2), outputs: 2, inputs: 3 };
  for (const rule of stepRules) {
    t.strictSame(
      weightGrids(matrix, { bits: 4, rule, perChannel: true }),
      [matrix.values.slice(0, 3), matrix.values.slice(3)].map((row) => symmetricGridBy(rule, 4, row)),
      rule,
    );
    const whole = symmetricGridBy(rule, 4, matrix.values);
    t.strictSame(weightGrids(matrix, { bits: 4, rule, perChannel: false }), [whole, whole], rule);
  }
});

t.test("each rule has a step of its own", async (t) => {
  const values = [...Array.from({ length: 40 }, (_, i) => (i - 20) / 20), 3];
  const steps = stepRules.map((rule) => symmetricGridBy(rule, 3, values).step);
  t.equal(steps[0], 1, "the largest weight over the outermost code");
  const largest = 3 / symmetricCodes(3).highest;
  t.equal(steps[1], searchGrid(values, (shrink) => symmetricGrid(3, largest * shrink)).grid.step);
  t.equal(steps[2], Math.fround(signalToNoiseStep(values, symmetricCodes(3))));
  t.ok(steps[1]! < 1 && steps[2]! < 1 && steps[1] !== steps[2], `${steps}`);
});
