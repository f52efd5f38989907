import type { Pair } from "../core/pair.ts";
import type { Tensor } from "./tensor.ts";

/** Rows and columns around an image. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Whether there is anything around an image. */
export const isPadded = ({ padding }: { readonly padding: Margins }): boolean =>
  Object.values(padding).some((size) => size > 0);

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
