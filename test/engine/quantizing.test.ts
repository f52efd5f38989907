import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { engineKinds, holds, matches, random, upload } from "../fixtures/engines.ts";

const seed = fc.nat(1e6);

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

const range = { seed, signed: fc.boolean(), xMax: fc.double({ min: 0.01, max: 20, noNaN: true }) };

for (const { kind, skip } of engineKinds) {
  t.test(`quantizing and its gradients on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("quantizing gives the nearest code of the grid; at a tie either neighbour", async (t) => {
      // Signed ranges whose clipped end, divided by the step in float32, is a tie: it would round to a code too far.
      const ends = { 2: 0.053, 4: 0.135, 8: 0.075, 16: 0.157 } as const;
      const cases = fc
        .record({ ...range, bits: fc.constantFrom(2, 4, 8, 16), atTie: fc.boolean() })
        .map(({ atTie, ...drawn }) => (atTie ? { ...drawn, signed: true, xMax: ends[drawn.bits] } : drawn));
      const law = ({ seed, signed, xMax, bits }: typeof cases extends fc.Arbitrary<infer T> ? T : never) => {
        const step = (signed ? 2 * xMax : xMax) / (2 ** bits - 1);
        const [lowest, highest] = signed ? [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
        const halves = [-1.5, -0.5, 0.5, 1.5, 2.5].map((code) => code * step);
        const x = Float32Array.of(0, xMax, -xMax, 2 * xMax, ...halves, ...random(seed, "x", [200], 1.3 * xMax));
        const actual = ops.read(ops.quantize(ops.tensor(x, [x.length]), { bits, signed, xMax }));
        x.forEach((value, i) => {
          const ratio = Math.min(Math.max(value, signed ? -xMax : 0), xMax) / step;
          const expected = Math.min(Math.max(roundHalfToEven(ratio * (1 - 1e-7)), lowest), highest);
          const code = Math.round(actual[i]! / step);
          // One float32 epsilon of the whole grid: so near to a tie rounding errors decide.
          const tied = Math.abs(Math.abs(ratio % 1) - 0.5) <= 1.2e-7 * 2 ** bits;
          const say = `${value} becomes ${actual[i]}, code ${code} of ${lowest}…${highest}, expected ${expected}`;
          if (code < lowest || code > highest) throw new Error(`beyond the grid: ${say}`);
          if (Math.abs(code - expected) > (tied ? 1 : 0)) throw new Error(`not the nearest code: ${say}`);
          if (Math.abs(actual[i]! - code * step) > 2e-7 * xMax) throw new Error(`between two codes: ${say}`);
        });
      };
      holds(t, ops, cases, law, 150);
    });

    t.test("quantizing to 32 bits clips to just inside the range", async (t) => {
      holds(t, ops, fc.record(range), ({ seed, signed, xMax }) => {
        const x = Float32Array.of(0, xMax, -xMax, ...random(seed, "x", [50], 1.5 * xMax));
        const high = Math.fround(xMax * (1 - 1e-7));
        const expected = x.map((value) => Math.min(Math.max(value, signed ? -high : 0), high));
        matches(ops, ops.quantize(ops.tensor(x, [x.length]), { bits: 32, signed, xMax }), [x.length], expected, 0);
      });
    });

    t.test("the range mask lets the gradient through inside the range only", async (t) => {
      holds(t, ops, fc.record(range), ({ seed, signed, xMax }) => {
        // An x_max starts as an exact weight: one float32 step below the end is clipped as well.
        const edges = [-1, 1.2e-7 - 1, -0.999999, 0, 1e-3, 0.999999, 1 - 1.2e-7, 1].map((part) => part * xMax);
        const x = Float32Array.of(...edges, ...random(seed, "x", [100], 1.5 * xMax));
        const gradient = upload(ops, seed, "g", [x.length]);
        const end = xMax * (1 - 3e-7);
        const inside = (value: number) => value < end && value > (signed ? -end : 0);
        const expected = x.map((value, i) => (inside(value) ? gradient.values[i]! : 0));
        const masked = ops.rangeMask(ops.tensor(x, [x.length]), gradient.tensor, { signed, xMax });
        matches(ops, masked, [x.length], expected, 0);
      });
    });

    t.test("the rectified sigmoid, its gradient and the slope of its regularizer follow their formulas", async (t) => {
      const cases = fc.record({ seed, beta: fc.double({ min: 1.5, max: 20, noNaN: true }) });
      holds(t, ops, cases, ({ seed, beta }) => {
        const v = Float32Array.of(0, 2.39, -2.39, 2.4, -2.4, 40, -40, ...random(seed, "v", [50], 4));
        const gradient = upload(ops, seed, "g", [v.length]);
        const sigmoid = Array.from(v, (value) => 1 / (1 + Math.exp(-value)));
        const h = sigmoid.map((value) => Math.min(1, Math.max(0, 1.2 * value - 0.1)));
        const rounding = ops.extension("rounding");
        const soft = rounding.rectifiedSigmoid(ops.tensor(v, [v.length]));
        matches(ops, soft, [v.length], h, 1e-6);
        const settled = [...ops.read(soft)].filter((_, i) => Math.abs(v[i]!) > 2.3979);
        if (settled.some((value) => value !== 0 && value !== 1)) throw new Error(`not settled: ${settled}`);
        const slopes = sigmoid.map((value, i) => (h[i]! > 0 && h[i]! < 1 ? 1.2 * value * (1 - value) : 0));
        const expected = slopes.map((slope, i) => slope * gradient.values[i]!);
        matches(ops, rounding.rectifiedSigmoidGradient(soft, gradient.tensor), [v.length], expected, 1e-6);
        const pull = h.map((value) => {
          const u = 2 * value - 1;
          return -2 * beta * Math.abs(u) ** (beta - 1) * Math.sign(u);
        });
        matches(ops, rounding.roundingSlope(soft, beta), [v.length], pull);
      });
    });
  });
}
