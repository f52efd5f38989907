import fc from "fast-check";
import t from "tap";
import { inverseRectifiedSigmoid, rectifiedSigmoid } from "../../src/quantization/rectified-sigmoid.ts";
import {
  betaAt,
  betaSchedules,
  roundingRegularizer,
  roundingRegularizerSlope,
} from "../../src/quantization/rounding-regularizer.ts";
import { stepRules, symmetricGridBy } from "../../src/quantization/scale-search.ts";
import { hardCodes, roundingChoice, softWeight } from "../../src/quantization/soft-rounding.ts";
import {
  affineGrid,
  clamp,
  decode,
  nearestCodes,
  outermostCode,
  weightBits,
} from "../../src/quantization/weight-grid.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

const bits = fc.constantFrom(...weightBits);
const v = fc.double({ min: -6, max: 6, noNaN: true });
const vs = fc.array(v, { minLength: 1, maxLength: 30 });
const beta = fc.double({ min: 2, max: 20, noNaN: true });
const weights = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 8, maxLength: 40 });
const layer = fc.record({ weights, bits, rule: fc.constantFrom(...stepRules), shrink: fc.constantFrom(1, 0.6) });
const h = (value: number) => rectifiedSigmoid(value).value;
const SETTLED = Math.log(11);

/** One channel on its grid, shrunk so that some weights lie outside. */
function channel({ weights, bits, rule, shrink }: typeof layer extends fc.Arbitrary<infer T> ? T : never) {
  const matrix = { values: Float32Array.from(weights), outputs: 1, inputs: weights.length };
  const grid = symmetricGridBy(rule, bits, matrix.values);
  return { matrix, grids: [{ ...grid, step: Math.fround(grid.step * shrink) }] };
}

t.test("h starts where the fraction is", async (t) => {
  lawHolds(t, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (fraction) => {
    expect(Math.abs(h(inverseRectifiedSigmoid(fraction)) - fraction) < 1e-12, `${fraction}`);
  });
});

t.test("h rises from exactly 0 to exactly 1, symmetric about a half", async (t) => {
  lawHolds(t, fc.tuple(v, v), ([a, b]) => {
    expect(Math.abs(h(-a) + h(a) - 1) < 1e-12, `h(${a}) is not symmetric`);
    expect(a <= b ? h(a) <= h(b) : h(a) >= h(b), `h is not monotone at ${a}, ${b}`);
    if (Math.abs(a) > SETTLED) expect(h(a) === (a > 0 ? 1 : 0), `h(${a}) is not settled`);
    else if (Math.abs(a) < SETTLED - 1e-9) expect(h(a) > 0 && h(a) < 1, `h(${a}) is settled`);
  });
});

t.test("the regularizer counts what is undecided, the more the larger beta", async (t) => {
  lawHolds(t, fc.record({ vs, beta, more: fc.double({ min: 0, max: 5, noNaN: true }) }), ({ vs, beta, more }) => {
    const value = roundingRegularizer(vs, beta);
    expect(value >= 0 && value <= vs.length, `${value} of ${vs.length}`);
    expect((value === 0) === vs.every((v) => Math.abs(v) >= SETTLED), `${value} for ${vs}`);
    expect(roundingRegularizer(vs, beta + more) >= value - 1e-12, "it falls with beta");
  });
  t.equal(roundingRegularizer([0, 0, 0], 7), 3);
  t.equal(roundingRegularizer([3, -3], 2), 0);
});

t.test("derivatives agree with differences away from the clamps", async (t) => {
  const inside = fc.double({ min: -2.39, max: 2.39, noNaN: true });
  lawHolds(t, fc.tuple(inside, beta), ([v, beta]) => {
    const difference = (f: (v: number) => number) => (f(v + 1e-6) - f(v - 1e-6)) / 2e-6;
    expect(Math.abs(difference(h) - rectifiedSigmoid(v).derivative) < 1e-6, `h'(${v})`);
    const slope = roundingRegularizerSlope(v, beta);
    expect(Math.abs(difference((v) => roundingRegularizer([v], beta)) - slope) < 1e-4, `R'(${v})`);
  });
});

t.test("beta falls from start to end after the warm-up", async (t) => {
  const cases = fc.record({
    shape: fc.constantFrom(...betaSchedules),
    iterations: fc.integer({ min: 10, max: 500 }),
    warmUp: fc.constantFrom(0, 0.1, 0.2, 0.5),
  });
  lawHolds(t, cases, (drawn) => {
    const schedule = { ...drawn, start: 20, end: 2 };
    const betas = Array.from({ length: drawn.iterations }, (_, iteration) => betaAt(schedule, iteration));
    const off = betas.filter((beta) => beta === null).length;
    expect(Math.abs(off - drawn.warmUp * drawn.iterations) <= 1, `${off} iterations without`);
    expect(
      betas.slice(off).every((beta, i, all) => beta! >= 2 && beta! <= (all[i - 1] ?? 20)),
      `${betas}`,
    );
    expect(betas.at(-1)! < 2 + 18 * 0.4, "it comes near its end");
  });
});

t.test("learning starts at the float weight, clipped to the grid", async (t) => {
  lawHolds(t, layer, (drawn) => {
    const { matrix, grids } = channel(drawn);
    const [grid] = grids;
    const choice = roundingChoice(matrix, grids);
    const { offset, range } = softWeight(choice, grids, matrix.inputs);
    matrix.values.forEach((weight, i) => {
      const soft = offset[i]! + range[i]! * h(choice.initial[i]!);
      const clipped = clamp(weight, grid!.lowest * grid!.step, grid!.highest * grid!.step);
      expect(Math.abs(soft - clipped) <= 1e-5 * (Math.abs(clipped) + grid!.step), `${weight}: ${soft}`);
    });
  });
});

t.test("a decision is the code below or above, never outside the grid; undecided it is the nearest", async (t) => {
  lawHolds(t, fc.record({ layer, vs: fc.array(v, { minLength: 40, maxLength: 40 }) }), ({ layer, vs }) => {
    const { matrix, grids } = channel(layer);
    const [{ step }] = grids as [(typeof grids)[0]];
    const choice = roundingChoice(matrix, grids);
    const outermost = outermostCode(layer.bits);
    hardCodes(choice, vs).forEach((code, i) => {
      const floor = Math.floor(Math.fround(matrix.values[i]! / step));
      const allowed = [floor, floor + 1].map((value) => clamp(value, -outermost, outermost));
      expect(allowed.includes(code), `${matrix.values[i]} became ${code}`);
    });
    const nearest = nearestCodes(matrix, grids);
    hardCodes(choice, choice.initial).forEach((code, i) => {
      const ratio = Math.abs(matrix.values[i]! / step);
      const tied = Math.abs((ratio % 1) - 0.5) < 1e-5;
      expect(tied || code === nearest[i], `${matrix.values[i]}: ${code}, nearest is ${nearest[i]}`);
    });
  });
});

t.test("weights and step times the same factor start at the same V", async (t) => {
  lawHolds(t, fc.record({ layer, exponent: fc.integer({ min: -8, max: 8 }) }), ({ layer, exponent }) => {
    const { matrix, grids } = channel(layer);
    const factor = 2 ** exponent;
    const scaled = { ...matrix, values: matrix.values.map((value) => value * factor) };
    const choice = roundingChoice(matrix, grids);
    const again = roundingChoice(
      scaled,
      grids.map((grid) => ({ ...grid, step: grid.step * factor })),
    );
    // Subnormal weights lose digits.
    if (matrix.values.every((value) => value === 0 || Math.abs(value) > 1e-30)) {
      expect(`${choice.initial}` === `${again.initial}`, `${choice.initial} and ${again.initial}`);
    }
  });
});

t.test("a grid with a zero point covers its range to half a step, and holds 0", async (t) => {
  const end = fc.double({ min: 0, max: 50, noNaN: true });
  lawHolds(t, fc.record({ below: end, above: end, bits }), ({ below, above, bits }) => {
    const { step, lowest, highest } = affineGrid(bits, { low: -below, high: above });
    expect(highest - lowest === 2 ** bits - 1 && lowest <= 0 && highest >= 0, `${lowest}…${highest}`);
    const slack = step * (0.5 + 1e-5);
    expect(-below >= lowest * step - slack && above <= highest * step + slack, `${lowest}…${highest} · ${step}`);
  });
});

t.test("the mse search never loses to the largest weight's step; a channel of zeros has step 1", async (t) => {
  lawHolds(t, fc.record({ weights, bits }), ({ weights, bits }) => {
    const matrix = { values: Float32Array.from(weights), outputs: 1, inputs: weights.length };
    const error = (rule: (typeof stepRules)[number]) => {
      const grid = symmetricGridBy(rule, bits, matrix.values);
      const decoded = decode(nearestCodes(matrix, [grid]), [grid.step], matrix.inputs);
      return decoded.reduce((sum, value, i) => sum + Math.abs(value - weights[i]!) ** 2.4, 0);
    };
    expect(error("mse") <= error("max") * (1 + 1e-12), `${error("mse")} and ${error("max")}`);
  });
  for (const rule of stepRules) {
    t.same(symmetricGridBy(rule, 4, new Float32Array(5)), { step: 1, lowest: -7, highest: 7 }, rule);
  }
});

t.test("beta has its values on the way", async (t) => {
  const schedule = { iterations: 10, warmUp: 0.2, start: 20, end: 2 };
  const at = (shape: (typeof betaSchedules)[number], ...iterations: readonly number[]) =>
    iterations.map((iteration) => betaAt({ ...schedule, shape }, iteration));
  t.strictSame(at("linear", 0, 1, 5, 9), [null, 20, 11, 2], "counted from 1");
  t.strictSame(at("cosine", 1, 2, 6), [null, 20, 11], "counted from 0");
  t.equal(at("cosine", 4)[0]!.toFixed(9), (11 + 9 * Math.SQRT1_2).toFixed(9));
  // h(ln 2) is 0.7, its derivative 1.2·2/9.
  t.equal(roundingRegularizerSlope(Math.log(2), 3).toFixed(12), "-0.256000000000");
});
