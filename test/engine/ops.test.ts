import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { elementsOf, engineKinds, freeing, holds, matches, near, upload } from "../fixtures/engines.ts";

const small = (min: number, max: number) => fc.integer({ min, max });
const seed = fc.nat(1e6);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

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
