import type { Tensor } from "./tensor.ts";

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
