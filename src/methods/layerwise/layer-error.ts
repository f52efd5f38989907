import type { Ops, Tensor } from "../../engine/ops.ts";
import type { LayerProblem } from "./layer-problem.ts";

/** A layer's calibration rows on the engine. Free them with {@link releaseRows}, where no scope of the engine does. */
export interface UploadedRows {
  /** [groups, samples, positions·inputs] */
  readonly inputs: Tensor;
  /** Negated, after the activation, [groups, samples, positions·outputs of a group]. */
  readonly negatedTargets: Tensor;
  /** [groups, 1, outputs of a group] */
  readonly bias: Tensor | null;
}

/** Uploads the rows once; targets go through the activation here. */
export function uploadRows(ops: Ops, { weight, bias, rectified, limit, rows }: LayerProblem): UploadedRows {
  const { groups, samples, positions, inputs, targets } = rows;
  const outputs = weight.outputs / groups;
  const highest = limit ?? Number.POSITIVE_INFINITY;
  const negated = targets.map((value) => -(rectified ? Math.min(highest, Math.max(value, 0)) : value));
  return {
    inputs: ops.tensor(inputs, [groups, samples, positions * weight.inputs]),
    negatedTargets: ops.tensor(negated, [groups, samples, positions * outputs]),
    bias: bias && ops.tensor(bias, [groups, 1, outputs]),
  };
}

export function releaseRows(ops: Ops, { inputs, negatedTargets, bias }: UploadedRows): void {
  for (const tensor of [inputs, negatedTargets, ...(bias ? [bias] : [])]) ops.release(tensor);
}

/**
 * y_q - y after the activation for weights [groups, outputs, inputs] on rows [groups, rows, inputs], and its gradient by
 * what goes into the activation.
 */
export function layerResidual(
  ops: Ops,
  {
    x,
    negatedTargets,
    bias,
    rectified,
    limit,
  }: { x: Tensor; negatedTargets: Tensor; bias: Tensor | null; rectified: boolean; limit: number | null },
  weight: Tensor,
): { readonly residual: Tensor; masked(): Tensor } {
  const product = ops.batchMatmul(x, weight, { transposeB: true });
  const biased = bias ? ops.add(product, bias) : product;
  if (!rectified) {
    const residual = ops.add(biased, negatedTargets);
    return { residual, masked: () => residual };
  }
  const output = limit === null ? ops.relu(biased) : ops.cappedRelu(biased, limit);
  const residual = ops.add(output, negatedTargets);
  return {
    residual,
    masked: () =>
      limit === null
        ? ops.reluGradient(output, residual)
        : ops.rangeMask(biased, residual, { signed: false, xMax: limit }),
  };
}

/** Mean over all rows of (y_q - y)² for each output channel; their sum is the layer's error. */
export function channelErrors(ops: Ops, problem: LayerProblem, uploaded: UploadedRows, weights: Float32Array) {
  const { weight, rectified, limit, rows } = problem;
  const { groups } = rows;
  const all = rows.samples * rows.positions;
  const outputs = weight.outputs / groups;
  return ops.scope(
    () => {
      const batch = {
        x: ops.reshape(uploaded.inputs, [groups, all, weight.inputs]),
        negatedTargets: ops.reshape(uploaded.negatedTargets, [groups, all, outputs]),
        bias: uploaded.bias,
        rectified,
        limit,
      };
      const { residual } = layerResidual(ops, batch, ops.tensor(weights, [groups, outputs, weight.inputs]));
      const squares = ops.multiply(residual, residual);
      // Sums over the rows of each group: a product with a row of ones.
      const ones = ops.tensor(new Float32Array(groups * all).fill(1 / all), [groups, 1, all]);
      return Float64Array.from(ops.read(ops.batchMatmul(ones, squares)));
    },
    () => [],
  );
}
