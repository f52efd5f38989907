import fc from "fast-check";
import t from "tap";
import { composedQuantizer } from "../../src/engine/composed-quantizer.ts";
import { loadEngine } from "../../src/engine/load.ts";
import type { Ops } from "../../src/engine/ops.ts";
import { type BitWidth, bitWidths } from "../../src/quantization/levels.ts";
import { telescope } from "../../src/quantization/telescope.ts";
import { engineKinds, holds, matches, near, random } from "../fixtures/engines.ts";

const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0.05, max: 0.95, noNaN: true }));
const cases = fc.record({
  seed: fc.nat(1e6),
  signed: fc.boolean(),
  xMax: fc.double({ min: 0.05, max: 5, noNaN: true }).map(Math.fround),
  gates: fc.tuple(gate, gate, gate, gate),
  // Small tensors take one thread, large ones all of them, and neither is a multiple of what is worked on at once.
  elements: fc.constantFrom(1, 7, 1000, 1025, 40_001),
  wanted: fc.subarray([...bitWidths]),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Values off the rounding boundaries of every grid, so that no tie decides. */
function valuesOf({ seed, signed, xMax, elements }: Case): Float32Array {
  return random(seed, "x", [elements], 1.4 * xMax).map((value) => {
    const step = ((signed ? 2 : 1) * xMax) / 255;
    const code = value / step;
    return Math.abs(Math.abs(code % 1) - 0.5) < 0.1 ? value + 0.2 * step : value;
  });
}

function outcome(ops: Ops, drawn: Case, quantizer: Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient">) {
  const { seed, signed, xMax, gates, elements, wanted } = drawn;
  const terms = telescope(gates).filter(({ weight }) => weight > 0);
  const options = { signed, xMax, terms };
  const x = ops.tensor(valuesOf(drawn), [elements]);
  const g = ops.tensor(random(seed, "g", [elements]), [elements]);
  const output = quantizer.gatedQuantize(x, options);
  return { x, g, terms, output, ...quantizer.gatedQuantizeGradient(x, g, { ...options, wanted }) };
}

for (const { kind, skip } of engineKinds) {
  t.test(`the gated quantizer on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("is the weighted sum of plain grids", async (t) => {
      holds(t, ops, cases, (drawn) => {
        const { x, output, terms } = outcome(ops, drawn, ops);
        const expected = new Float64Array(drawn.elements);
        for (const { bits, weight } of terms) {
          const onGrid = ops.read(ops.quantize(x, { bits, signed: drawn.signed, xMax: drawn.xMax }));
          onGrid.forEach((value, i) => {
            expected[i]! += weight * value;
          });
        }
        // A value on the boundary of a finer grid may go either way: a step of 16 bits.
        matches(ops, output, [drawn.elements], expected, 2 ** -14);
      });
    });

    t.test("has the gradient inside the range, and the scalar products that gates and range learn from", async (t) => {
      holds(t, ops, cases, (drawn) => {
        const { x, g, output, gradient, range, levels } = outcome(ops, drawn, ops);
        const masked = ops.rangeMask(x, g, { signed: drawn.signed, xMax: drawn.xMax });
        matches(ops, gradient, [drawn.elements], ops.read(masked), 0);
        const [xs, gs, ys, gx] = [x, g, output, gradient].map((tensor) => Float64Array.from(ops.read(tensor))) as [
          Float64Array,
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
        const size = drawn.xMax * Math.sqrt(drawn.elements);
        near([range / size], [(product(gs, ys) - product(gx, xs)) / size], 1e-4);
        t.strictSame([...levels.keys()], drawn.wanted);
        for (const [bits, inner] of levels) {
          const onGrid = ops.read(ops.quantize(x, { bits, signed: drawn.signed, xMax: drawn.xMax }));
          near([inner / size], [product(gs, Float64Array.from(onGrid)) / size], 1e-4);
        }
      });
    });
  });
}

t.test("the native kernels and the composed operations agree", { skip: engineKinds[0].skip }, async (t) => {
  const { ops } = await loadEngine({ kind: "native" });
  const composed = composedQuantizer(ops);
  t.not(ops.gatedQuantize, composed.gatedQuantize);
  holds(t, ops, cases, (drawn) => {
    const [fused, plain] = [outcome(ops, drawn, ops), outcome(ops, drawn, composed)];
    matches(ops, fused.output, [drawn.elements], ops.read(plain.output), 2 ** -14);
    matches(ops, fused.gradient, [drawn.elements], ops.read(plain.gradient), 0);
    const size = drawn.xMax * Math.sqrt(drawn.elements);
    near([fused.range / size], [plain.range / size], 1e-4);
    const levels = (result: { levels: ReadonlyMap<BitWidth, number> }) =>
      Array.from(result.levels.values(), (inner) => inner / size);
    near(levels(fused), levels(plain), 1e-4);
  });
});
