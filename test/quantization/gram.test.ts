import fc from "fast-check";
import t from "tap";
import { Gram } from "../../src/quantization/gram.ts";
import { random } from "../fixtures/engines.ts";
import { expect, lawHolds } from "../fixtures/laws.ts";

t.test("sums gathered batch by batch are those of all rows, less the bias", async (t) => {
  lawHolds(
    t,
    fc.record({ seed: fc.nat(1e6), rows: fc.integer({ min: 1, max: 30 }), split: fc.nat(30) }),
    ({ seed, rows, split }) => {
      const [inputs, outputs] = [5, 3];
      const x = random(seed, "x", [rows, inputs]).map((value) => Math.max(0, value));
      const y = random(seed, "y", [rows, outputs]);
      const bias = random(seed, "bias", [outputs]);
      const gram = new Gram(inputs, outputs);
      const cut = Math.min(split, rows);
      gram.add(x.subarray(0, cut * inputs), y.subarray(0, cut * outputs), bias);
      gram.finish();
      gram.add(x.subarray(cut * inputs), y.subarray(cut * outputs), bias);
      gram.finish();
      const at = (values: Float32Array, width: number, row: number, column: number) => values[row * width + column]!;
      const sum = (term: (row: number) => number) =>
        Array.from({ length: rows }, (_, row) => term(row)).reduce((total, value) => total + value, 0);
      const target = (row: number, m: number) => at(y, outputs, row, m) - bias[m]!;
      const near = (actual: number, expected: number, what: string) =>
        expect(Math.abs(actual - expected) < 1e-12 * rows, `${what}: ${actual}, expected ${expected}`);
      for (let i = 0; i < inputs; i++) {
        for (let j = 0; j < inputs; j++) {
          const expected = sum((row) => at(x, inputs, row, i) * at(x, inputs, row, j));
          near(gram.products[i * inputs + j]!, expected, `products ${i}, ${j}`);
        }
        for (let m = 0; m < outputs; m++) {
          near(
            gram.cross[m * inputs + i]!,
            sum((row) => target(row, m) * at(x, inputs, row, i)),
            `cross ${m}, ${i}`,
          );
        }
      }
      for (let m = 0; m < outputs; m++) {
        near(
          gram.energy[m]!,
          sum((row) => target(row, m) ** 2),
          `energy ${m}`,
        );
      }
    },
  );
});

t.test("each row counts, also where all others beside it are 0", async (t) => {
  const size = 11;
  const at = (row: number, column: number) => (row === column ? row + 1 : 0);
  const diagonal = Float32Array.from({ length: size ** 2 }, (_, i) => at(Math.floor(i / size), i % size));
  const gram = new Gram(size, size);
  gram.add(diagonal, diagonal);
  const squared = Float64Array.from(diagonal, (value) => value ** 2);
  const { products, cross, energy } = gram.finish();
  t.strictSame(products, squared);
  t.strictSame(cross, squared);
  t.strictSame(
    energy,
    Float64Array.from({ length: size }, (_, row) => (row + 1) ** 2),
  );
});
