import t from "tap";
import { loadEngine } from "../../src/engine/load-engine.ts";
import { engineKinds, freeing, random } from "../fixtures/engines.ts";

for (const { kind, skip } of engineKinds) {
  t.test(`${kind}: sums of each group's rows, in float64`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const [groups, rows, inputs, outputs] = [3, 1000, 5, 2];
    // Far from 0, so that sums in float32 are wrong in their last digits.
    const x = random(1, "x", [groups, rows, inputs]).map((value) => 100 + value);
    const y = random(1, "y", [groups, rows, outputs]).map((value) => 100 + value);
    const bias = random(1, "bias", [groups, 1, outputs]);
    for (const taken of [null, bias]) {
      const live = ops.liveTensors();
      const sums = freeing(ops, () =>
        ops
          .extension("leastSquares")
          .grams(
            ops.tensor(x, [groups, rows, inputs]),
            ops.tensor(y, [groups, rows, outputs]),
            taken && ops.tensor(taken, [groups, 1, outputs]),
          ),
      );
      t.equal(ops.liveTensors(), live, "nothing is left");
      t.equal(sums.length, groups);
      let worst = 0;
      for (const [group, { products, cross, energy }] of sums.entries()) {
        const at = (i: number, row: number) => x[(group * rows + row) * inputs + i]!;
        const target = (m: number, row: number) =>
          y[(group * rows + row) * outputs + m]! - (taken?.[group * outputs + m] ?? 0);
        const see = (actual: number, term: (row: number) => number) => {
          let expected = 0;
          for (let row = 0; row < rows; row++) expected += term(row);
          worst = Math.max(worst, Math.abs(actual - expected) / expected);
        };
        for (let i = 0; i < inputs; i++)
          for (let j = 0; j < inputs; j++) see(products[i * inputs + j]!, (row) => at(i, row) * at(j, row));
        for (let m = 0; m < outputs; m++) {
          for (let i = 0; i < inputs; i++) see(cross[m * inputs + i]!, (row) => target(m, row) * at(i, row));
          see(energy[m]!, (row) => target(m, row) ** 2);
        }
      }
      t.ok(worst < 1e-13, `relative difference ${worst}`);
    }
  });

  t.test(`${kind}: products of a symmetric matrix with rows, in float64`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });
    const inputs = 7;
    const half = random(1, "matrix", [inputs, inputs]);
    const at = (i: number, j: number) => 1e6 + half[i * inputs + j]! * half[j * inputs + i]!;
    const products = Float64Array.from({ length: inputs ** 2 }, (_, k) => at(Math.floor(k / inputs), k % inputs));
    const rows = random(1, "rows", [3, inputs]).map((value) => Math.round(3 * value));
    const live = ops.liveTensors();
    const images = ops.extension("leastSquares").images(products, rows);
    t.equal(ops.liveTensors(), live, "nothing is left");
    const expected = Array.from({ length: 3 * inputs }, (_, k) => {
      const row = rows.subarray(Math.floor(k / inputs) * inputs);
      return Array.from({ length: inputs }, (_, n) => row[n]! * at(n, k % inputs)).reduce((sum, one) => sum + one, 0);
    });
    const worst = Math.max(...images.map((value, k) => Math.abs(value - expected[k]!)));
    t.equal(images.length, expected.length);
    t.ok(worst < 1e-8, `difference ${worst}`);
  });
}
