import fc from "fast-check";
import t from "tap";
import { descendDigits, stitched } from "../../src/quantization/bit-split/digit-descent.ts";
import { pointShift, split, stitch } from "../../src/quantization/bit-split/digits.ts";
import { activationStep, leastSquaresCodes } from "../../src/quantization/bit-split/least-squares-step.ts";
import { fittedStep } from "../../src/quantization/code-descent.ts";
import { clamp, nearestCode, outermostCode, weightBits } from "../../src/quantization/weight-grid.ts";
import { random } from "../fixtures/engines.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";
import { type Channel, channelOf, channelSize, energyOf, errorOf, sumsOf } from "../fixtures/least-squares-channel.ts";

const bits = fc.constantFrom(...weightBits);
const seed = fc.nat(1e6);
const weights = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 8, maxLength: 40 });
function start(w: Float32Array, bits: number) {
  const { codes, step } = leastSquaresCodes(w, bits);
  return { planes: split(codes, bits), alpha: step * pointShift(bits) };
}

const solve = (data: Channel, bits: number, epochs = 100) =>
  descendDigits(sumsOf(data), start(data.w, bits), { epochs });

const scaled = (values: Float32Array, factor: number) => values.map((value) => value * factor);

t.test("stitching undoes splitting, for every code of a grid", async (t) => {
  for (const b of weightBits) {
    const outermost = outermostCode(b);
    const codes = Int32Array.from({ length: 2 * outermost + 1 }, (_, index) => index - outermost);
    const planes = split(codes, b);
    t.equal(planes.length, b - 1);
    t.ok(planes.every((plane) => plane.every((digit) => Math.abs(digit) <= 1)));
    t.same(stitch(planes), codes, `${b} bits`);
  }
});

t.test("stage 1 ends where codes are nearest for the step and the step is least squares for the codes", async (t) => {
  lawHolds(t, fc.record({ weights, bits }), ({ weights, bits }) => {
    const { codes, step } = leastSquaresCodes(weights, bits);
    const outermost = outermostCode(bits);
    const grid = { step, lowest: -outermost, highest: outermost };
    weights.forEach((weight, i) => {
      const tied = Math.abs((Math.abs(weight / step) % 1) - 0.5) < 1e-9;
      expect(tied || codes[i] === nearestCode(weight, grid), `${weight} / ${step} became ${codes[i]}`);
    });
    const product = codes.reduce((sum, code, i) => sum + code * weights[i]!, 0);
    const square = codes.reduce((sum, code) => sum + code * code, 0);
    if (square > 0) expect(Math.abs(step - product / square) <= 1e-9 * step, `${step}`);
    const first = Math.max(...weights.map(Math.abs)) / outermost || 1;
    const errorAt = (step: number, code: (weight: number, i: number) => number) =>
      weights.reduce((sum, weight, i) => sum + (weight - step * code(weight, i)) ** 2, 0);
    const before = errorAt(first, (weight) => clamp(Math.round(weight / first), -outermost, outermost));
    expect(errorAt(step, (_, i) => codes[i]!) <= before * (1 + 1e-9) + 1e-12, "the error rose");
  });
  t.same(leastSquaresCodes([0, 0, 0], 4), { codes: Int32Array.of(0, 0, 0), step: 1 }, "a channel of zeros");
});

t.test("white inputs leave stage 1's codes as they are", async (t) => {
  lawHolds(t, fc.record({ seed, bits, factor: fc.constantFrom(1, 0.25, 9) }), ({ seed, bits, factor }) => {
    const w = random(seed, "w", [20]);
    const products = new Float64Array(400);
    for (let n = 0; n < 20; n++) products[n * 21] = factor;
    const cross = Float64Array.from(w, (weight) => weight * factor);
    const first = start(w, bits);
    const end = descendDigits({ products, cross, energy: factor * energyOf(w) }, first, { epochs: 50 });
    expect(`${stitch(end.planes)}` === `${stitch(first.planes)}`, `${stitch(end.planes)}`);
  });
});

t.test("the error never rises from epoch to epoch, nor by a last least-squares step", async (t) => {
  lawHolds(t, channelSize, (drawn) => {
    const data = channelOf(drawn);
    const slack = 1e-9 * energyOf(data.y);
    let before = solve(data, drawn.bits, 0).error;
    for (const epochs of [1, 2, 3, 5, 100]) {
      const end = solve(data, drawn.bits, epochs);
      expect(end.error <= before + slack, `epoch ${epochs}: ${end.error} after ${before}`);
      const { codes, step } = stitched(end);
      expect(Math.abs(end.error - errorOf(data, codes, step)) <= 1e-5 * energyOf(data.y), "it is not the error");
      const fitted = errorOf(data, codes, fittedStep(sumsOf(data), { codes }, step));
      expect(fitted <= errorOf(data, codes, step) + slack, "the last step raised it");
      const outermost = outermostCode(drawn.bits);
      expect(codes.every((code) => Math.abs(code) <= outermost) && step > 0, `${codes} · ${step}`);
      before = end.error;
    }
  });
});

t.test("at rest no digit alone can be improved", async (t) => {
  lawHolds(
    t,
    channelSize,
    (drawn) => {
      const data = channelOf(drawn);
      const end = solve(data, drawn.bits, 1000);
      if (end.epochs === 1000) return;
      const least = end.error - 1e-9 * energyOf(data.y);
      for (const [plane, digits] of end.planes.entries()) {
        for (let n = 0; n < digits.length; n++) {
          for (const digit of [-1, 0, 1]) {
            const planes = end.planes.map((other) => other.slice());
            planes[plane]![n] = digit;
            const changed = descendDigits(sumsOf(data), { planes, alpha: end.alpha }, { epochs: 0 });
            expect(changed.error >= least, `digit ${n} of plane ${plane}: ${changed.error}, had ${end.error}`);
          }
        }
      }
    },
    30,
  );
});

t.test("codes do not depend on units, on the order of rows, or on seeing the data twice", async (t) => {
  lawHolds(t, fc.record({ size: channelSize, factor: fc.constantFrom(0.25, 2, 64) }), ({ size, factor }) => {
    const data = channelOf(size);
    const first = stitched(solve(data, size.bits));
    const same = (other: Channel, step: number, sign: number, what: string) => {
      const { codes, step: found } = stitched(solve(other, size.bits));
      expect(`${codes.map((code) => sign * code)}` === `${first.codes}`, `${what}: ${codes}, had ${first.codes}`);
      expect(Math.abs(found / (first.step * step) - 1) < 1e-9, `${what}: step ${found}`);
    };
    const { x, y, w } = data;
    same({ x, y: scaled(y, factor), w: scaled(w, factor) }, factor, 1, "weights and outputs");
    same({ x: scaled(x, factor), y: scaled(y, factor), w }, 1, 1, "inputs and outputs");
    same({ x, y: scaled(y, -1), w: scaled(w, -1) }, 1, -1, "signs");
    same({ x: Float32Array.of(...x, ...x), y: Float32Array.of(...y, ...y), w }, 1, 1, "twice");
    const reversed = (values: Float32Array, width: number) =>
      values.map((_, i) => values[(values.length / width - 1 - Math.floor(i / width)) * width + (i % width)]!);
    same({ x: reversed(x, w.length), y: reversed(y, 1), w }, 1, 1, "rows reversed");
  });
});

t.test("a dead input gets code 0, a dead output keeps its scale, a turned channel is turned back", async (t) => {
  lawHolds(t, channelSize, (drawn) => {
    const { x, y, w } = channelOf(drawn);
    const dead = { x: x.map((value, i) => (i % w.length === 1 ? 0 : value)), y, w };
    expect(stitched(solve(dead, drawn.bits)).codes[1] === 0, "the dead input's code");
    const silent = solve({ x, y: new Float32Array(y.length), w }, drawn.bits);
    expect(silent.alpha === start(w, drawn.bits).alpha && Number.isFinite(silent.error), `alpha ${silent.alpha}`);
    const upright = start(w, drawn.bits);
    const turned = { ...upright, planes: upright.planes.map((plane) => plane.map((digit) => -digit)) };
    const after = (from: typeof upright) => descendDigits(sumsOf({ x, y, w }), from, { epochs: 1 });
    expect(after(turned).alpha > 0, "alpha is negative");
    expect(`${stitched(after(turned)).codes}` === `${stitched(after(upright)).codes}`, "it is not turned back");
  });
});

t.test("an activation's step is no worse than that of its largest value", async (t) => {
  const features = fc.array(fc.float({ min: Math.fround(0.01), max: 8, noNaN: true }), { minLength: 4, maxLength: 60 });
  lawHolds(t, fc.record({ features, bits: fc.constantFrom(2, 4, 8) }), ({ features, bits }) => {
    const highest = 2 ** bits - 1;
    const errorAt = (step: number) =>
      features.reduce((sum, x) => sum + (x - step * nearestCode(x, { step, lowest: 0, highest })) ** 2, 0);
    const step = activationStep(features, bits);
    const first = Math.max(...features) / highest;
    expect(step > 0 && errorAt(step) <= errorAt(first) * (1 + 1e-9) + 1e-12, `${errorAt(step)} of ${errorAt(first)}`);
  });
  t.equal(activationStep([0, 0], 4), 1, "a feature map of zeros");
});
