import type { BitWidth } from "../quantization/levels.ts";
import type { BatchNormed, BatchStatistics } from "./batch-statistics.ts";
import type { Extensions } from "./extensions.ts";
import type { GatedQuantizeGradient, GatedQuantizeOptions, QuantizeOptions, RangeOptions } from "./gated-quantize.ts";
import type { Nonlinearity } from "./nonlinearity.ts";
import type { AdamStep, Border, Conv2dGeometry, MomentumStep, Pooled, PoolGeometry, Variable } from "./op-options.ts";
import type { Tensor } from "./tensor.ts";

export type { BatchNormed, BatchStatistics } from "./batch-statistics.ts";
export type {
  GatedQuantizeGradient,
  GatedQuantizeOptions,
  QuantizeOptions,
  RangeOptions,
  WeightedLevel,
} from "./gated-quantize.ts";
export type {
  AdamStep,
  Border,
  Conv2dGeometry,
  Margins,
  MomentumStep,
  Pooled,
  PoolGeometry,
  Variable,
} from "./op-options.ts";
export type { DataType, Precision, Tensor } from "./tensor.ts";

/**
 * All the numerics of training and evaluation: one small interface with two implementations, `native` (raw TensorFlow
 * ops) and `portable` (WebAssembly kernels). Tensors made inside `scope` are freed at its end unless kept; `release`
 * frees one earlier.
 */
export interface Ops {
  /** Uploads a copy-free view: the array must not change while the tensor lives. */
  tensor(values: Float32Array | Int32Array | Uint8Array, shape: readonly number[]): Tensor;
  /** Downloads. Waits for the computation. */
  read(x: Tensor): Float32Array | Int32Array;
  /** The value of a tensor with one element. */
  scalar(x: Tensor): number;
  /** Frees what `body` made, but for the tensors that `keep` picks from its result. */
  scope<T>(body: () => T, keep: (result: T) => readonly (Tensor | null)[]): T;
  release(x: Tensor): void;
  /** Live tensors of the engine; constant from step to step. */
  liveTensors(): number;

  /**
   * The tensor in the precision of this object's convolutions and matrix products, which read tensors of that
   * precision and give float32: itself in float32. What is kept for a backward pass takes half the memory in bfloat16.
   */
  narrow(x: Tensor): Tensor;
  /**
   * An image of more channels than the weight has inputs is convolved in groups of that many, each with as many outputs.
   *
   * @param bias Added to each output channel in the same pass; float32.
   */
  conv2d(x: Tensor, weight: Tensor, geometry: Conv2dGeometry, bias?: Tensor): Tensor;
  conv2dInputGradient(
    inputShape: readonly number[],
    weight: Tensor,
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor;
  conv2dWeightGradient(x: Tensor, weightShape: readonly number[], gradient: Tensor, geometry: Conv2dGeometry): Tensor;
  /** Convolves each channel with its own kernel: weights are [kernel height, kernel width, 1, channels]. */
  depthwiseConv2d(x: Tensor, weight: Tensor, geometry: Conv2dGeometry): Tensor;
  depthwiseConv2dInputGradient(
    inputShape: readonly number[],
    weight: Tensor,
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor;
  depthwiseConv2dWeightGradient(
    x: Tensor,
    weightShape: readonly number[],
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor;
  matmul(a: Tensor, b: Tensor, options?: { readonly transposeA?: boolean; readonly transposeB?: boolean }): Tensor;
  maxPool(x: Tensor, geometry: PoolGeometry): Pooled;
  maxPoolGradient(x: Tensor, pooled: Pooled, gradient: Tensor, geometry: PoolGeometry): Tensor;
  /** Mean of each window. */
  averagePool(x: Tensor, geometry: PoolGeometry): Tensor;
  averagePoolGradient(inputShape: readonly number[], gradient: Tensor, geometry: PoolGeometry): Tensor;
  /** [batch, height, width, channels] to [batch, channels]: the mean of each channel. */
  globalAveragePool(x: Tensor): Tensor;
  globalAveragePoolGradient(inputShape: readonly number[], gradient: Tensor): Tensor;
  /** Surrounds images with `value`. */
  pad(x: Tensor, border: Border, value?: number): Tensor;
  /** Takes off what `pad` put around. */
  crop(x: Tensor, border: Border): Tensor;

  /** (x - mean)/sqrt(variance + epsilon)·scale + shift with the batch's own statistics. */
  batchNorm(x: Tensor, scale: Tensor, shift: Tensor, epsilon: number): BatchNormed;
  /** Those statistics alone. */
  batchStatistics(x: Tensor): BatchStatistics;
  /** Gradients of `batchNorm`, statistics included, by x, scale and shift. */
  batchNormGradient(
    x: Tensor,
    gradient: Tensor,
    scale: Tensor,
    statistics: BatchStatistics,
    epsilon: number,
  ): { readonly x: Tensor; readonly scale: Tensor; readonly shift: Tensor };
  /** x·scale + shift per channel, in one pass. */
  affine(x: Tensor, scale: Tensor, shift: Tensor): Tensor;

  /** Adds one number per channel (last axis). */
  addBias(x: Tensor, bias: Tensor): Tensor;
  /** Sums over all axes but the last. */
  sumPerChannel(x: Tensor): Tensor;
  /** Sums over some axes, which keep size 1. */
  sumOver(x: Tensor, axes: readonly number[]): Tensor;
  relu(x: Tensor): Tensor;
  /** x clipped to [0, limit]. */
  cappedRelu(x: Tensor, limit: number): Tensor;
  /** The gradient where `output` is positive, else 0. */
  reluGradient(output: Tensor, gradient: Tensor): Tensor;
  /** 1/sqrt(x + epsilon). */
  reciprocalRoot(x: Tensor, epsilon: number): Tensor;
  nonlinear(x: Tensor, of: Nonlinearity): Tensor;
  /** The gradient by x. */
  nonlinearGradient(x: Tensor, gradient: Tensor, of: Nonlinearity): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  /** Axis i of what it gives is axis `order[i]` of x. */
  transpose(x: Tensor, order: readonly number[]): Tensor;
  /** Elementwise, broadcasting as `multiply`. */
  add(a: Tensor, b: Tensor): Tensor;
  /** Sum of tensors of one shape, in one pass. */
  sum(tensors: readonly Tensor[]): Tensor;
  /** Elementwise, broadcasting axes of size 1 and a shape that is shorter in front. */
  multiply(a: Tensor, b: Tensor): Tensor;
  /** Σ of the elementwise product, as a scalar tensor. */
  dot(a: Tensor, b: Tensor): Tensor;

  /** x on one grid: s_b·round(clip(x)/s_b), codes clamped to the grid (docs/method.md, "Quantizer"). */
  quantize(x: Tensor, options: QuantizeOptions): Tensor;
  /** The gradient where x lies inside the range that clipping leaves alone, else 0. */
  rangeMask(x: Tensor, gradient: Tensor, options: RangeOptions): Tensor;
  /** z_2·Σ_b w_b·X_b (docs/method.md, "Quantizer"). */
  gatedQuantize(x: Tensor, options: GatedQuantizeOptions): Tensor;
  gatedQuantizeGradient(
    x: Tensor,
    gradient: Tensor,
    options: GatedQuantizeOptions & { readonly wanted: readonly BitWidth[]; readonly wantsChannels?: boolean },
  ): GatedQuantizeGradient;
  /** uint8 pixels to (pixel/255 - mean)/deviation per channel, float32. */
  normalize(
    pixels: Tensor,
    normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] },
  ): Tensor;
  /** Mean cross-entropy over the batch (scalar) and its gradient with respect to the logits [batch, classes]. */
  crossEntropy(logits: Tensor, labels: Tensor): { readonly loss: Tensor; readonly gradient: Tensor };
  /** Index of the largest element of each row. */
  argMax(logits: Tensor): Tensor;
  /** The entries of `axis` that `indices` (int32, of any shape, which stands in place of the axis) name, in their order. */
  gather(x: Tensor, indices: Tensor, axis: number): Tensor;
  /** The gradient of `gather` on axis 0: row i of [count, width] is the sum of the `rows`, [.., width], that have index i. */
  sumByIndex(rows: Tensor, indices: Tensor, count: number): Tensor;
  /** Matrix products [batch, m, k]·[batch, k, n] of each entry of the first axis. */
  batchMatmul(a: Tensor, b: Tensor, options?: { readonly transposeA?: boolean; readonly transposeB?: boolean }): Tensor;
  /** Kernels that one method alone needs. */
  extension<Name extends keyof Extensions>(name: Name): Extensions[Name];

  variable(name: string, values: Float32Array, shape: readonly number[]): Variable;
  /** The current value; release it before the variable is updated. */
  value(variable: Variable): Tensor;
  assign(variable: Variable, values: Float32Array): void;
  dispose(variable: Variable): void;
  /** Adam as PyTorch's, in place. */
  adam(variable: Variable, moments: readonly [Variable, Variable], gradient: Tensor, step: AdamStep): void;
  /** SGD with momentum as PyTorch's, in place. */
  momentum(variable: Variable, velocity: Variable, gradient: Tensor, step: MomentumStep): void;
}
