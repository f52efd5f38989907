import type { GramSums } from "../quantization/gram.ts";
import type { Tensor } from "./tensor.ts";

/** What learning to round needs (Nagel et al. 2020, equations 23 and 24). */
export interface RoundingKernels {
  /** h = clamp(1.2·sigmoid(v) - 0.1, 0, 1) (src/quantization/rectified-sigmoid.ts). */
  rectifiedSigmoid(v: Tensor): Tensor;
  /** The gradient by v, from h: 0 where the clamp holds h. */
  rectifiedSigmoidGradient(h: Tensor, gradient: Tensor): Tensor;
  /** Slope by h of the rounding regularizer Σ(1 - |2h - 1|^beta), beta > 1. */
  roundingSlope(h: Tensor, beta: number): Tensor;
}

/** What least squares on a layer's output needs (src/quantization/gram.ts). */
export interface LeastSquaresKernels {
  /**
   * The sums of each group, in float64 throughout.
   *
   * @param x [groups, rows, inputs]
   * @param y [groups, rows, outputs]
   * @param bias Taken off y; [groups, 1, outputs].
   */
  grams(x: Tensor, y: Tensor, bias: Tensor | null): readonly GramSums[];
  /**
   * products·row of each row, in float64: [rows, inputs].
   *
   * @param products Symmetric, [inputs, inputs].
   * @param rows [rows, inputs]
   */
  images(products: Float64Array, rows: Float32Array): Float64Array;
}

/** What learning codes by softmax needs (Chen et al. 2020). */
export interface SoftmaxKernels {
  /** Of each row of [rows, units]. */
  softmax(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
}

/** Kernels that one method alone needs: every engine has them beside `Ops`, the method asks for them by name. */
export interface Extensions {
  readonly leastSquares: LeastSquaresKernels;
  readonly rounding: RoundingKernels;
  readonly softmax: SoftmaxKernels;
}
