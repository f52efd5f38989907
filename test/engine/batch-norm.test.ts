import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { elementsOf, engineKinds, holds, matches, near, random, upload } from "../fixtures/engines.ts";

const EPSILON = 1e-3;

const small = (min: number, max: number) => fc.integer({ min, max });
// Kernels take eight channels at once, and many rows in turn.
const shapes = fc.oneof(
  fc.tuple(small(2, 6), small(1, 5)),
  fc.tuple(small(2, 5), small(6, 19)),
  fc.tuple(small(1, 3), small(2, 4), small(1, 4), small(1, 5)),
);
const cases = fc.record({ seed: fc.nat(1e6), shape: shapes });

/** The definition in double precision: output, statistics, and a loss <output, g>. */
function normalized(x: ArrayLike<number>, scale: ArrayLike<number>, shift: ArrayLike<number>, channels: number) {
  const count = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < x.length; i++) mean[i % channels]! += x[i]! / count;
  for (let i = 0; i < x.length; i++) variance[i % channels]! += (x[i]! - mean[i % channels]!) ** 2 / count;
  const output = Float64Array.from(x, (value, i) => {
    const channel = i % channels;
    const normal = (value - mean[channel]!) / Math.sqrt(variance[channel]! + EPSILON);
    return normal * scale[channel]! + shift[channel]!;
  });
  return { output, mean, variance };
}

/** Derivatives of `loss` by each element of `values`, by central differences. */
function differences(values: Float64Array, loss: () => number): Float64Array {
  const step = 1e-5;
  return values.map((value, index) => {
    values[index] = value + step;
    const above = loss();
    values[index] = value - step;
    const below = loss();
    values[index] = value;
    return (above - below) / (2 * step);
  });
}

for (const { kind, skip } of engineKinds) {
  t.test(`batch normalization on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("uses the batch's own statistics; its gradients are those of its definition", async (t) => {
      holds(t, ops, cases, ({ seed, shape }) => {
        const channels = shape.at(-1)!;
        const [x, g] = [upload(ops, seed, "x", shape), upload(ops, seed, "g", shape)];
        const [scale, shift] = [upload(ops, seed, "scale", [channels]), upload(ops, seed, "shift", [channels])];
        const { output, statistics } = ops.batchNorm(x.tensor, scale.tensor, shift.tensor, EPSILON);
        const expected = normalized(x.values, scale.values, shift.values, channels);
        matches(ops, output, shape, expected.output, 1e-4);
        matches(ops, statistics.mean, [channels], expected.mean, 1e-5);
        near(ops.read(statistics.variance), expected.variance, 1e-5);
        const alone = ops.batchStatistics(x.tensor);
        matches(ops, alone.mean, [channels], expected.mean, 1e-5);
        near(ops.read(alone.variance), expected.variance, 1e-5);

        const gradients = ops.batchNormGradient(x.tensor, g.tensor, scale.tensor, statistics, EPSILON);
        const [xs, scales, shifts] = [x, scale, shift].map(({ values }) => Float64Array.from(values)) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const loss = () =>
          normalized(xs, scales, shifts, channels).output.reduce((sum, value, i) => sum + value * g.values[i]!, 0);
        matches(ops, gradients.x, shape, differences(xs, loss), 2e-3);
        matches(ops, gradients.scale, [channels], differences(scales, loss), 1e-3);
        matches(ops, gradients.shift, [channels], differences(shifts, loss), 1e-3);
      });
    });

    t.test("statistics of many rows far from 0 are as near, and those of threads the same every time", async (t) => {
      const shape = [3000, 17];
      const values = random(5, "far", shape).map((value, index) => 1e-2 * value + 30 * ((index % 17) - 8));
      const { mean, variance } = normalized(values, new Float32Array(17), new Float32Array(17), 17);
      const found = () =>
        ops.scope(
          () => {
            const statistics = ops.batchStatistics(ops.tensor(values, shape));
            return [ops.read(statistics.mean).slice(), ops.read(statistics.variance).slice()] as const;
          },
          () => [],
        );
      const [means, variances] = found();
      near(means, mean, 1e-5);
      t.ok(variances.every((value, channel) => Math.abs(value / variance[channel]! - 1) < 1e-3));
      t.strictSame(found(), [means, variances]);
    });

    t.test("a first row unlike all others, as padding makes corners, takes nothing from the rest", async (t) => {
      const shape = [2000, 9];
      const values = random(6, "corner", shape).map((value, index) => (index < 9 ? 0 : 1e-2 * value + 50));
      const { mean, variance } = normalized(values, new Float32Array(9), new Float32Array(9), 9);
      ops.scope(
        () => {
          const found = ops.batchStatistics(ops.tensor(values, shape));
          near(ops.read(found.mean), mean, 1e-4);
          const variances = ops.read(found.variance);
          t.ok(
            variances.every((value, channel) => Math.abs(value / variance[channel]! - 1) < 1e-3),
            `${variances}`,
          );
        },
        () => [],
      );
    });

    t.test("with given numbers it is a product and a sum per channel", async (t) => {
      holds(t, ops, cases, ({ seed, shape }) => {
        const channels = shape.at(-1)!;
        const x = upload(ops, seed, "x", shape);
        const [scale, shift] = [upload(ops, seed, "scale", [channels]), upload(ops, seed, "shift", [channels])];
        const expected = Array.from(
          { length: elementsOf(shape) },
          (_, i) => x.values[i]! * scale.values[i % channels]! + shift.values[i % channels]!,
        );
        matches(ops, ops.affine(x.tensor, scale.tensor, shift.tensor), shape, expected);
      });
    });
  });
}
