import type { Pair } from "../core/pair.ts";
import type { BitWidth } from "../quantization/levels.ts";
import type { Tensor } from "./tensor.ts";

/** Rows and columns around an image. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Geometry of a convolution; weights are [kernel height, kernel width, in, out], depthwise ones have 1 in. */
export interface Conv2dGeometry {
  /** From one window to the next. */
  readonly strides: Pair;
  /** From one tap of a window to the next. */
  readonly dilations: Pair;
  /** Zeros around the image. */
  readonly padding: Margins;
}

/** Rows, columns and channels around an image. */
export interface Border {
  readonly padding: Margins;
  readonly channels: readonly [before: number, after: number];
}

/** Batch normalization over the last axis, of [batch, …, channels]. */
export interface BatchNormed {
  readonly output: Tensor;
  readonly statistics: BatchStatistics;
}

/** One number per channel. */
export interface BatchStatistics {
  readonly mean: Tensor;
  /** Biased: the mean squared distance from the mean. */
  readonly variance: Tensor;
}

export interface PoolGeometry {
  readonly size: Pair;
  /** From one window to the next. */
  readonly strides: Pair;
}

/** What max-pooling remembers for its gradient. */
export interface Pooled {
  readonly output: Tensor;
  /** Where the largest elements were, if the engine keeps that; released like any tensor. */
  readonly workspace: Tensor | null;
}

/** A learned range: [-xMax, xMax] when signed, [0, xMax] otherwise. */
export interface RangeOptions {
  readonly signed: boolean;
  readonly xMax: number;
}

/** The grid of one bit-width over a learned range (src/quantization/grid.ts). */
export interface QuantizeOptions extends RangeOptions {
  /** 32 is a clip. */
  readonly bits: BitWidth;
}

/** One term w_b·X_b of a gated quantizer: its bit-width, and its weight in the telescoped sum or in that of each channel. */
export interface WeightedLevel {
  readonly bits: BitWidth;
  readonly weight: number | Float32Array;
}

/** A gated quantizer as it stands in one pass. */
export interface GatedQuantizeOptions extends RangeOptions {
  /**
   * The terms with a weight above zero: one, of weight 1, where all gates are 0 or 1. Either all have one weight, or all
   * have one for each channel (last axis).
   */
  readonly terms: readonly WeightedLevel[];
  /** z_2 of each channel (last axis), which multiplies the sum; absent where all are 1. */
  readonly gates?: Tensor | null;
}

/** What a gated quantizer's backward pass gives, with g for z_2 times the gradient of its output. */
export interface GatedQuantizeGradient {
  /** g_x: g inside the range, else 0. */
  readonly gradient: Tensor;
  /** <g, x_q> - <g_x, x>. */
  readonly range: number;
  /** <g, X_b> of the bit-widths that were wanted: one number, or one for each channel where the terms' weights are. */
  readonly levels: ReadonlyMap<BitWidth, ArrayLike<number>>;
  /** <g, x_q> of each channel that has a gate; without gates, or where they were not wanted, null. */
  readonly channels: ArrayLike<number> | null;
}

/** A trained tensor that lives as long as the training, with its optimizer's moments. */
export interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1, 2, 3 …: which update this is. */
  readonly step: number;
}

export interface MomentumStep extends Pick<AdamStep, "learningRate"> {
  readonly momentum: number;
  readonly nesterov: boolean;
}
