import type * as TensorFlow from "@tensorflow/tfjs-core";
import { at, last } from "../../core/elements.ts";
import type { Ops } from "../ops.ts";
import { type Arena, of } from "./arena.ts";

/** Rows picked from a tensor, and matrix products of each entry of a batch. */
export function rows(arena: Arena): Pick<Ops, "gather" | "sumByIndex" | "batchMatmul"> {
  return {
    gather: (x, indices, axis) => arena.make((tf) => tf.gather(of(x), of<TensorFlow.Tensor1D>(indices), axis)),
    sumByIndex(rows, indices, count) {
      const width = last(rows.shape);
      // TensorFlow.js types its data by all that a tensor can hold: these are float32.
      const values = of(rows).dataSync() as Float32Array;
      const sums = new Float32Array(count * width);
      for (const [row, index] of of(indices).dataSync().entries()) {
        const sum = sums.subarray(index * width, (index + 1) * width);
        values.subarray(row * width, (row + 1) * width).forEach((value, unit) => {
          sum[unit] = at(sum, unit) + value;
        });
      }
      return arena.own(arena.tf.tensor(sums, [count, width]));
    },
    batchMatmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      arena.make((tf) => tf.matMul(of(a), of(b), transposeA, transposeB)),
  };
}
