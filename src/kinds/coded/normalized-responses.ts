import { last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { readFloats } from "../../engine/read-floats.ts";
import type { RunningStatistics } from "../../graph/node-kind.ts";
import { elementsOf } from "../../graph/shape.ts";
import { inverseDeviation } from "../norm-affine.ts";

/** The authors'. */
const EPSILON = 1e-3;

/**
 * Responses, each codeword's with mean 0 and variance 1 over the rows of a table: [tables, rows, codewords]. Rows count by
 * their weights, as often as their token stands in the batch.
 */
export interface Normalized {
  readonly normalized: Tensor;
  /** 1/sqrt(variance + epsilon), [tables, 1, codewords]. */
  readonly inverse: Tensor;
  readonly statistics: { readonly mean: Tensor; readonly variance: Tensor };
}

/** How many sets of responses have statistics of their own. */
export const tablesOf = ({
  normalization,
  groups,
}: {
  readonly normalization: "codeword" | "group" | "none";
  readonly groups: number;
}): number => (normalization === "group" ? groups : 1);

/** Responses of groups, [.., .., codewords], as [tables, rows, codewords]. */
export function asTables(x: Tensor, tables: number, ops: Ops): Tensor {
  const codewords = last(x.shape);
  return ops.reshape(x, [tables, elementsOf(x.shape) / (tables * codewords), codewords]);
}

/** @param weights [tables, 1, rows], 1 in sum for each table. */
export function normalizeByBatch(x: Tensor, weights: Tensor, ops: Ops): Normalized {
  const mean = ops.batchMatmul(weights, x);
  const centred = ops.add(x, negative(mean, ops));
  const variance = ops.batchMatmul(weights, ops.multiply(centred, centred));
  const inverse = ops.tensor(inverseDeviation({ variance: readFloats(ops, variance) }, EPSILON), variance.shape);
  return { normalized: ops.multiply(centred, inverse), inverse, statistics: { mean, variance } };
}

/** The same with running statistics, [tables·codewords]. */
export function normalizeByRunning(x: Tensor, { mean, variance }: RunningStatistics, ops: Ops): Tensor {
  const [tables, , codewords] = tuple(x.shape, 3);
  const shape = [tables, 1, codewords];
  const centred = ops.add(x, negative(ops.tensor(mean, shape), ops));
  return ops.multiply(centred, ops.tensor(inverseDeviation({ variance }, EPSILON), shape));
}

/**
 * The gradient by the responses, statistics included.
 *
 * @param gradient By the normalized responses, summed over all that a row stands for.
 */
export function normalizationGradient(
  gradient: Tensor,
  { normalized, inverse, weights }: { readonly normalized: Tensor; readonly inverse: Tensor; readonly weights: Tensor },
  ops: Ops,
): Tensor {
  const [tables, rows] = tuple(gradient.shape, 3);
  const minusOnes = ops.tensor(new Float32Array(tables * rows).fill(-1), [tables, 1, rows]);
  const sums = ops.batchMatmul(minusOnes, gradient);
  const products = ops.batchMatmul(minusOnes, ops.multiply(gradient, normalized));
  const common = ops.add(sums, ops.multiply(normalized, products));
  const shared = ops.multiply(common, ops.reshape(weights, [tables, rows, 1]));
  return ops.multiply(ops.add(gradient, shared), inverse);
}

/** With the other sign. */
export const negative = (x: Tensor, ops: Ops): Tensor => ops.multiply(x, ops.tensor(Float32Array.of(-1), []));
