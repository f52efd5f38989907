import { last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { elementsOf } from "../../graph/shape.ts";

/**
 * What each codeword answers to each query (Chen et al. 2020, equations 3 and 7): <query, key>, or -|query - key|².
 *
 * @param queries [groups·tokens, units], group by group.
 * @param keys [groups, codewords, units], or [1, codewords, units] where all groups share them.
 * @returns [groups or 1, rows, codewords]
 */
export function responses(queries: Tensor, keys: Tensor, metric: "dot" | "euclidean", ops: Ops): Tensor {
  const [tables, codewords, units] = tuple(keys.shape, 3);
  const rows = elementsOf(queries.shape) / (tables * units);
  const products = ops.batchMatmul(ops.reshape(queries, [tables, rows, units]), keys, { transposeB: true });
  if (metric === "dot") return products;
  const ofQueries = ops.reshape(minusSquares(queries, ops), [tables, rows, 1]);
  const ofKeys = ops.reshape(minusSquares(keys, ops), [tables, 1, codewords]);
  return ops.add(ops.add(ops.add(products, products), ofQueries), ofKeys);
}

/** The gradients of <query, key>, shaped as these. */
export function dotGradients(
  gradient: Tensor,
  { queries, keys }: { readonly queries: Tensor; readonly keys: Tensor },
  ops: Ops,
): { readonly queries: Tensor; readonly keys: Tensor } {
  const [tables, rows] = tuple(gradient.shape, 3);
  const byTable = ops.reshape(queries, [tables, rows, last(keys.shape)]);
  return {
    queries: ops.reshape(ops.batchMatmul(gradient, keys), queries.shape),
    keys: ops.batchMatmul(gradient, byTable, { transposeA: true }),
  };
}

/** -|x|² of each row of the last axis, as a column. */
function minusSquares(x: Tensor, ops: Ops): Tensor {
  const units = last(x.shape);
  const rows = elementsOf(x.shape) / units;
  const minusOnes = ops.tensor(new Float32Array(units).fill(-1), [units, 1]);
  return ops.matmul(ops.reshape(ops.multiply(x, x), [rows, units]), minusOnes);
}
