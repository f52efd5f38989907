import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load.ts";
import { elementsOf, engineKinds, freeing, holds, matches, near, random, upload } from "../fixtures/engines.ts";

const small = (min: number, max: number) => fc.integer({ min, max });
const seed = fc.nat(1e6);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

const range = { seed, signed: fc.boolean(), xMax: fc.double({ min: 0.01, max: 20, noNaN: true }) };

for (const { kind, skip } of engineKinds) {
  t.test(`the operations on the ${kind} engine`, { skip }, async (t) => {
    const { ops, info } = await loadEngine({ kind });
    t.equal(info.engine, kind);

    t.test("matrices multiply, transposed or not", async (t) => {
      const sizes = { seed, m: small(1, 5), k: small(1, 5), n: small(1, 5) };
      const cases = fc.record({ ...sizes, transposeA: fc.boolean(), transposeB: fc.boolean() });
      holds(t, ops, cases, ({ seed, m, k, n, transposeA, transposeB }) => {
        const a = upload(ops, seed, "a", transposeA ? [k, m] : [m, k]);
        const b = upload(ops, seed, "b", transposeB ? [n, k] : [k, n]);
        const expected = Array.from({ length: m * n }, (_, index) => {
          const [row, column] = [Math.floor(index / n), index % n];
          const left = (i: number) => a.values[transposeA ? i * m + row : row * k + i]!;
          const right = (i: number) => b.values[transposeB ? column * k + i : i * n + column]!;
          return total(Array.from({ length: k }, (_, i) => left(i) * right(i)));
        });
        matches(ops, ops.matmul(a.tensor, b.tensor, { transposeA, transposeB }), [m, n], expected);
      });
    });

    t.test("elementwise operations broadcast over the last axis, reductions sum", async (t) => {
      const shape = fc.array(small(1, 4), { minLength: 2, maxLength: 4 });
      holds(t, ops, fc.record({ seed, shape }), ({ seed, shape }) => {
        const channels = shape.at(-1)!;
        const [a, b] = [upload(ops, seed, "a", shape), upload(ops, seed, "b", shape)];
        const c = upload(ops, seed, "c", [channels]);
        const factor = ops.tensor(Float32Array.of(-1.5), []);
        const map = (value: (a: number, b: number, c: number) => number) =>
          Array.from(a.values, (x, i) => value(x, b.values[i]!, c.values[i % channels]!));
        matches(
          ops,
          ops.add(a.tensor, b.tensor),
          shape,
          map((a, b) => a + b),
        );
        matches(
          ops,
          ops.addBias(a.tensor, c.tensor),
          shape,
          map((a, _, c) => a + c),
        );
        matches(
          ops,
          ops.multiply(a.tensor, b.tensor),
          shape,
          map((a, b) => a * b),
        );
        matches(
          ops,
          ops.multiply(a.tensor, c.tensor),
          shape,
          map((a, _, c) => a * c),
        );
        matches(
          ops,
          ops.multiply(factor, a.tensor),
          shape,
          map((a) => -1.5 * a),
        );
        const columns = Array.from(c.values, (_, channel) => [...a.values].filter((_, i) => i % channels === channel));
        matches(ops, ops.sumPerChannel(a.tensor), [channels], columns.map(total));
        const dot = total(map((a, b) => a * b));
        matches(ops, ops.dot(a.tensor, b.tensor), [], [dot]);
        near([ops.scalar(ops.dot(a.tensor, b.tensor))], [dot]);
        matches(ops, ops.reshape(a.tensor, [elementsOf(shape)]), [elementsOf(shape)], a.values, 0);
        const rectified = ops.relu(a.tensor);
        matches(
          ops,
          rectified,
          shape,
          map((a) => Math.max(a, 0)),
          0,
        );
        matches(
          ops,
          ops.reluGradient(rectified, b.tensor),
          shape,
          map((a, b) => (a > 0 ? b : 0)),
          0,
        );
      });
    });

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

    t.test("pixels are normalised per channel", async (t) => {
      const cases = fc.record({ bytes: fc.uint8Array({ minLength: 12, maxLength: 12 }), centred: fc.boolean() });
      holds(t, ops, cases, ({ bytes, centred }) => {
        const mean = centred ? [0.4914, 0.4822, 0.4465] : [0, 0, 0];
        const deviation = [0.2023, 0.1994, 0.201];
        const actual = ops.normalize(ops.tensor(bytes, [1, 2, 2, 3]), { mean, deviation });
        const expected = Array.from(bytes, (byte, i) => (byte / 255 - mean[i % 3]!) / deviation[i % 3]!);
        matches(ops, actual, [1, 2, 2, 3], expected);
      });
    });

    t.test("cross-entropy is the mean of -log softmax, its gradient softmax minus the truth", async (t) => {
      const cases = fc.record({ seed, batch: small(1, 5), classes: small(2, 6), scale: fc.constantFrom(1, 100) });
      holds(t, ops, cases, ({ seed, batch, classes, scale }) => {
        const logits = upload(ops, seed, "logits", [batch, classes], scale);
        const labels = Int32Array.from({ length: batch }, (_, row) => (seed + row) % classes);
        const rows = Array.from(labels, (_, row) => [...logits.values.slice(row * classes, (row + 1) * classes)]);
        const logSoftmax = rows.map((row) => {
          const largest = Math.max(...row);
          const logSum = largest + Math.log(total(row.map((value) => Math.exp(value - largest))));
          return row.map((value) => value - logSum);
        });
        const loss = -total(logSoftmax.map((row, b) => row[labels[b]!]!)) / batch;
        const gradient = logSoftmax.flatMap((row, b) =>
          row.map((value, i) => (Math.exp(value) - (i === labels[b] ? 1 : 0)) / batch),
        );
        const actual = ops.crossEntropy(logits.tensor, ops.tensor(labels, [batch]));
        matches(ops, actual.loss, [], [loss]);
        matches(ops, actual.gradient, [batch, classes], gradient);
        const largest = rows.map((row) => row.indexOf(Math.max(...row)));
        matches(ops, ops.argMax(logits.tensor), [batch], largest, 0);
      });
    });

    t.test("gathering picks entries of an axis, in the order asked for", async (t) => {
      const cases = fc.record({
        seed,
        outer: small(1, 3),
        length: small(1, 5),
        inner: small(1, 4),
        picks: small(1, 7),
      });
      holds(t, ops, cases, ({ seed, outer, length, inner, picks }) => {
        const x = upload(ops, seed, "x", [outer, length, inner]);
        const indices = Int32Array.from({ length: picks }, (_, pick) => (seed + 3 * pick) % length);
        const expected = Array.from({ length: outer }, (_, row) =>
          [...indices].flatMap((index) => [
            ...x.values.slice((row * length + index) * inner, (row * length + index + 1) * inner),
          ]),
        ).flat();
        matches(ops, ops.gather(x.tensor, ops.tensor(indices, [picks]), 1), [outer, picks, inner], expected, 0);
      });
    });

    t.test("a batch of matrices multiplies one by one", async (t) => {
      const sizes = { seed, batch: small(1, 4), m: small(1, 5), k: small(1, 5), n: small(1, 5) };
      const cases = fc.record({ ...sizes, transposeA: fc.boolean(), transposeB: fc.boolean() });
      holds(t, ops, cases, ({ seed, batch, m, k, n, transposeA, transposeB }) => {
        const a = upload(ops, seed, "a", transposeA ? [batch, k, m] : [batch, m, k]);
        const b = upload(ops, seed, "b", transposeB ? [batch, n, k] : [batch, k, n]);
        const expected = Array.from({ length: batch }, (_, entry) => {
          const slice = (values: Float32Array, size: number, shape: number[]) =>
            ops.tensor(values.slice(entry * size, (entry + 1) * size), shape);
          const left = slice(a.values, m * k, transposeA ? [k, m] : [m, k]);
          const right = slice(b.values, k * n, transposeB ? [n, k] : [k, n]);
          return [...ops.read(ops.matmul(left, right, { transposeA, transposeB }))];
        }).flat();
        const actual = ops.batchMatmul(a.tensor, b.tensor, { transposeA, transposeB });
        matches(ops, actual, [batch, m, n], expected);
      });
    });

    t.test("the rectified sigmoid, its gradient and the slope of its regularizer follow their formulas", async (t) => {
      const cases = fc.record({ seed, beta: fc.double({ min: 1.5, max: 20, noNaN: true }) });
      holds(t, ops, cases, ({ seed, beta }) => {
        const v = Float32Array.of(0, 2.39, -2.39, 2.4, -2.4, 40, -40, ...random(seed, "v", [50], 4));
        const gradient = upload(ops, seed, "g", [v.length]);
        const sigmoid = Array.from(v, (value) => 1 / (1 + Math.exp(-value)));
        const h = sigmoid.map((value) => Math.min(1, Math.max(0, 1.2 * value - 0.1)));
        const soft = ops.rectifiedSigmoid(ops.tensor(v, [v.length]));
        matches(ops, soft, [v.length], h, 1e-6);
        const settled = [...ops.read(soft)].filter((_, i) => Math.abs(v[i]!) > 2.3979);
        if (settled.some((value) => value !== 0 && value !== 1)) throw new Error(`not settled: ${settled}`);
        const slopes = sigmoid.map((value, i) => (h[i]! > 0 && h[i]! < 1 ? 1.2 * value * (1 - value) : 0));
        const expected = slopes.map((slope, i) => slope * gradient.values[i]!);
        matches(ops, ops.rectifiedSigmoidGradient(soft, gradient.tensor), [v.length], expected, 1e-6);
        const pull = h.map((value) => {
          const u = 2 * value - 1;
          return -2 * beta * Math.abs(u) ** (beta - 1) * Math.sign(u);
        });
        matches(ops, ops.roundingSlope(soft, beta), [v.length], pull);
      });
    });

    t.test("variables hold what they are given until they are assigned anew", async (t) => {
      const before = ops.liveTensors();
      const values = Float32Array.of(1, 2, 3, 4);
      const variable = ops.variable("w", values, [2, 2]);
      const held = () => freeing(ops, () => [...ops.read(ops.value(variable))]);
      values.fill(9);
      t.same([variable.name, variable.shape], ["w", [2, 2]]);
      t.same(held(), [1, 2, 3, 4], "the caller's array may change");
      ops.assign(variable, values);
      values.fill(7);
      t.same(held(), [9, 9, 9, 9]);
      ops.dispose(variable);
      t.equal(ops.liveTensors(), before);
    });

    t.test("Adam steps as PyTorch's does", async (t) => {
      const shape = [2, 3];
      // So large an epsilon tells whether it is added to the corrected deviation, as it should be.
      const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-2 };
      const law = (seed: number) => {
        const w = Float64Array.from(random(seed, "w", shape));
        const [m, v] = [new Float64Array(6), new Float64Array(6)];
        const variable = ops.variable("w", Float32Array.from(w), shape);
        const [first, second] = ["m", "v"].map((name) => ops.variable(name, new Float32Array(6), shape));
        for (let step = 1; step <= 6; step++) {
          const gradient = upload(ops, seed, `g${step}`, shape, 0.01 * step);
          const learningRate = 0.1 / step;
          ops.adam(variable, [first!, second!], gradient.tensor, { ...settings, learningRate, step });
          gradient.values.forEach((g, i) => {
            m[i] = 0.9 * m[i]! + 0.1 * g;
            v[i] = 0.999 * v[i]! + 0.001 * g * g;
            const deviation = Math.sqrt(v[i]! / (1 - 0.999 ** step)) + settings.epsilon;
            w[i]! -= (learningRate * (m[i]! / (1 - 0.9 ** step))) / deviation;
          });
          freeing(ops, () => matches(ops, ops.value(variable), shape, w));
        }
        matches(ops, ops.value(first!), shape, m, 1e-8);
        matches(ops, ops.value(second!), shape, v, 1e-9);
        for (const held of [variable, first!, second!]) ops.dispose(held);
      };
      holds(t, ops, seed, law, 10);
    });

    t.test("Nesterov momentum steps as PyTorch's does", async (t) => {
      const law = (seed: number) => {
        const w = Float64Array.from(random(seed, "w", [5]));
        const v = new Float64Array(5);
        const variable = ops.variable("w", Float32Array.from(w), [5]);
        const velocity = ops.variable("v", new Float32Array(5), [5]);
        for (let step = 1; step <= 6; step++) {
          const gradient = upload(ops, seed, `g${step}`, [5]);
          const learningRate = 0.1 / step;
          ops.nesterov(variable, velocity, gradient.tensor, { learningRate, momentum: 0.9 });
          gradient.values.forEach((g, i) => {
            v[i] = 0.9 * v[i]! + g;
            w[i]! -= learningRate * (g + 0.9 * v[i]!);
          });
          freeing(ops, () => matches(ops, ops.value(variable), [5], w));
        }
        matches(ops, ops.value(velocity), [5], v);
        for (const held of [variable, velocity]) ops.dispose(held);
      };
      holds(t, ops, seed, law, 10);
    });

    t.test("a scope frees what was made in it, but for what is kept", async (t) => {
      const before = ops.liveTensors();
      const make = () => ops.tensor(Float32Array.of(1, -2), [2]);
      const outer = () => {
        const body = () => ({ dropped: make(), kept: ops.relu(make()) });
        const { kept } = ops.scope(body, (result) => [result.kept, null]);
        t.equal(ops.liveTensors(), before + 1, "an inner scope hands what it keeps to the outer one");
        return ops.add(kept, kept);
      };
      const kept = ops.scope(outer, (result) => [result]);
      t.same([...ops.read(kept)], [2, 0]);
      t.equal(ops.liveTensors(), before + 1);
      ops.release(kept);
      ops.release(kept);
      t.equal(ops.liveTensors(), before, "a second release does nothing");
      const failing = () => {
        make();
        throw new Error("on the way");
      };
      t.throws(() => freeing(ops, failing), { message: "on the way" });
      t.equal(ops.liveTensors(), before, "an error on the way leaves nothing behind");
    });

    t.test("integers stay integers", async (t) => {
      freeing(ops, () => {
        const x = ops.tensor(Int32Array.of(5, -6, 2 ** 31 - 1), [3]);
        t.equal(x.dtype, "int32");
        t.same(ops.read(x), Int32Array.of(5, -6, 2 ** 31 - 1));
      });
    });
  });
}
