import fc from "fast-check";
import t from "tap";
import { composedQuantizer } from "../../src/engine/composed-quantizer.ts";
import { loadEngine } from "../../src/engine/load-engine.ts";
import type { Ops, WeightedLevel } from "../../src/engine/ops.ts";
import { type BitWidth, bitWidths } from "../../src/quantization/levels.ts";
import { telescope } from "../../src/quantization/telescope.ts";
import { engineKinds, holds, matches, near, random } from "../fixtures/engines.ts";

const gate = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0.05, max: 0.95, noNaN: true }));
const cases = fc.record({
  seed: fc.nat(1e6),
  signed: fc.boolean(),
  xMax: fc.double({ min: 0.05, max: 5, noNaN: true }).map(Math.fround),
  gates: fc.tuple(gate, gate, gate, gate),
  /** Of channels that have gates of their own; null: none. */
  rows: fc.option(fc.array(fc.tuple(gate, gate, gate, gate), { minLength: 2, maxLength: 5 })),
  // Small tensors take one thread, large ones all of them, and neither is a multiple of what is worked on at once.
  shape: fc.constantFrom([1, 1], [7, 1], [125, 8], [205, 5], [40_001, 1], [667, 60], [25, 1601]),
  /** Of channels; null: none. */
  pruning: fc.option(fc.array(gate, { minLength: 1, maxLength: 5 })),
  wanted: fc.subarray([...bitWidths]),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

/** Values off the rounding boundaries of every grid, so that no tie decides. */
function valuesOf({ seed, signed, xMax, shape }: Case): Float32Array {
  return random(seed, "x", shape, 1.4 * xMax).map((value) => {
    const step = ((signed ? 2 : 1) * xMax) / 255;
    const code = value / step;
    return Math.abs(Math.abs(code % 1) - 0.5) < 0.1 ? value + 0.2 * step : value;
  });
}

/** One number per channel. */
const pruningOf = ({ pruning, shape }: Case) =>
  Float32Array.from({ length: shape[1]! }, (_, channel) => pruning?.[channel % pruning.length] ?? 1);

function termsOf({ gates, rows, shape }: Case): readonly WeightedLevel[] {
  if (rows === null) {
    const weights = telescope(Float64Array.from(gates));
    return bitWidths.map((bits, level) => ({ bits, weight: weights[level]! })).filter(({ weight }) => weight > 0);
  }
  const channels = shape[1]!;
  const own = Array.from({ length: channels }, (_, channel) => rows[channel % rows.length]!);
  const weights = telescope(Float64Array.from([0, 1, 2, 3].flatMap((gate) => own.map((gates) => gates[gate]!))));
  return bitWidths
    .map((bits, level) => ({
      bits,
      weight: Float32Array.from(weights.subarray(level * channels, (level + 1) * channels)),
    }))
    .filter(({ weight }) => weight.some((value) => value > 0));
}

function outcome(ops: Ops, drawn: Case, quantizer: Pick<Ops, "gatedQuantize" | "gatedQuantizeGradient">) {
  const { seed, signed, xMax, shape, pruning, wanted } = drawn;
  const terms = termsOf(drawn);
  const channelGates = ops.tensor(pruningOf(drawn), [shape[1]!]);
  const options = { signed, xMax, terms, gates: pruning && channelGates };
  const x = ops.tensor(valuesOf(drawn), shape);
  const byOutput = ops.tensor(random(seed, "g", shape), shape);
  const g = ops.multiply(byOutput, channelGates);
  const output = quantizer.gatedQuantize(x, options);
  const ungated = quantizer.gatedQuantize(x, { ...options, gates: null });
  const results = quantizer.gatedQuantizeGradient(x, byOutput, { ...options, wanted, wantsChannels: true });
  return { x, g, terms, output, ungated, ...results };
}

/** Scalar products of each channel, over `size`. */
function byChannel(a: ArrayLike<number>, b: ArrayLike<number>, { shape }: Case, size: number): Float64Array {
  const sums = new Float64Array(shape[1]!);
  for (let i = 0; i < a.length; i++) sums[i % sums.length]! += (a[i]! * b[i]!) / size;
  return sums;
}

for (const { kind, skip } of engineKinds) {
  t.test(`the gated quantizer on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("is the weighted sum of plain grids, times the gate of the channel", async (t) => {
      holds(t, ops, cases, (drawn) => {
        const { x, output, terms } = outcome(ops, drawn, ops);
        const pruning = pruningOf(drawn);
        const expected = new Float64Array(x.shape[0]! * pruning.length);
        for (const { bits, weight } of terms) {
          const onGrid = ops.read(ops.quantize(x, { bits, signed: drawn.signed, xMax: drawn.xMax }));
          onGrid.forEach((value, i) => {
            const own = typeof weight === "number" ? weight : weight[i % weight.length]!;
            expected[i]! += pruning[i % pruning.length]! * own * value;
          });
        }
        // A value on the boundary of a finer grid may go either way: a step of 16 bits.
        matches(ops, output, drawn.shape, expected, 2 ** -14);
      });
    });

    t.test("has the gradient inside the range, and the scalar products that gates and range learn from", async (t) => {
      holds(t, ops, cases, (drawn) => {
        const { x, g, ungated, gradient, range, levels, channels } = outcome(ops, drawn, ops);
        const masked = ops.rangeMask(x, g, { signed: drawn.signed, xMax: drawn.xMax });
        matches(ops, gradient, drawn.shape, ops.read(masked), 0);
        const [xs, gs, ys, gx] = [x, g, ungated, gradient].map((tensor) => Float64Array.from(ops.read(tensor))) as [
          Float64Array,
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
        const size = drawn.xMax * Math.sqrt(xs.length);
        near([range / size], [(product(gs, ys) - product(gx, xs)) / size], 1e-4);
        t.strictSame([...levels.keys()], drawn.wanted);
        for (const [bits, inner] of levels) {
          const onGrid = ops.read(ops.quantize(x, { bits, signed: drawn.signed, xMax: drawn.xMax }));
          const sum = Array.from(inner).reduce((total, value) => total + value, 0);
          near([sum / size], [product(gs, Float64Array.from(onGrid)) / size], 1e-4);
          t.equal(inner.length, drawn.rows === null ? 1 : drawn.shape[1]);
          if (inner.length > 1)
            near(
              Array.from(inner, (value) => value / size),
              byChannel(gs, onGrid, drawn, size),
              1e-4,
            );
        }
        t.equal(channels === null, drawn.pruning === null);
        if (channels === null) return;
        near(
          Array.from(channels, (inner) => inner / size),
          byChannel(gs, ys, drawn, size),
          1e-4,
        );
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
    matches(ops, fused.output, drawn.shape, ops.read(plain.output), 2 ** -14);
    matches(ops, fused.gradient, drawn.shape, ops.read(plain.gradient), 0);
    const size = drawn.xMax * Math.sqrt(drawn.shape[0]! * drawn.shape[1]!);
    near([fused.range / size], [plain.range / size], 1e-4);
    const levels = (result: { levels: ReadonlyMap<BitWidth, ArrayLike<number>> }) =>
      Array.from(result.levels.values()).flatMap((inner) => Array.from(inner, (value) => value / size));
    near(levels(fused), levels(plain), 1e-4);
    const channels = ({ channels }: typeof fused) => Array.from(channels ?? [], (inner) => inner / size);
    near(channels(fused), channels(plain), 1e-4);
  });
});

t.test("channels whose gates are the same have the values that they have together, bit for bit", async (t) => {
  const at = (width: BitWidth, bits: BitWidth) => (bits <= width ? 1 : 0);
  const open = (width: BitWidth): Case["gates"] => [at(width, 4), at(width, 8), at(width, 16), at(width, 32)];
  for (const { kind, skip } of engineKinds) {
    if (skip) continue;
    const { ops } = await loadEngine({ kind });
    holds(
      t,
      ops,
      cases,
      (drawn) => {
        // Unsaturated, and all open or closed.
        for (const gates of [drawn.gates, open(bitWidths[drawn.seed % bitWidths.length]!)]) {
          const shared = outcome(ops, { ...drawn, gates, rows: null }, ops);
          const apart = outcome(ops, { ...drawn, gates, rows: [gates] }, ops);
          matches(ops, apart.output, drawn.shape, ops.read(shared.output), 0);
          matches(ops, apart.gradient, drawn.shape, ops.read(shared.gradient), 0);
        }
      },
      10,
    );
  }
});
