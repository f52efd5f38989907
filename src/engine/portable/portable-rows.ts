import type * as TensorFlow from "@tensorflow/tfjs-core";
import type { Ops } from "../ops.ts";
import { type Arena, of } from "./arena.ts";

/** Rows picked from a tensor, and matrix products of each entry of a batch. */
export function rows(arena: Arena): Pick<Ops, "gather" | "batchMatmul"> {
  return {
    gather: (x, indices, axis) => arena.make((tf) => tf.gather(of(x), of<TensorFlow.Tensor1D>(indices), axis)),
    batchMatmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      arena.make((tf) => tf.matMul(of(a), of(b), transposeA, transposeB)),
  };
}
