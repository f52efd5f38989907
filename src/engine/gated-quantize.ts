import type { BitWidth } from "../quantization/levels.ts";
import type { Tensor } from "./tensor.ts";

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
