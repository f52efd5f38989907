import type { Complexity } from "../quantization/prior.ts";
import type { GateSample } from "./gate-sample.ts";

/** Sums over a tensor that the backward pass delivers, on the host. */
export interface BackwardSums {
  /** <g, x_q> - <g_x, x>, for each range. */
  readonly range: ArrayLike<number>;
  /** <g, z_2·X_b> by bit-width: of the tensor, or of each channel. */
  readonly levels: ReadonlyMap<number, ArrayLike<number>>;
  /** z_2·dL/dz_2 per channel; null when not asked for. */
  readonly channels: ArrayLike<number> | null;
  /** By each element of a weight that is decoded from a codebook. */
  readonly decoded?: ArrayLike<number> | undefined;
}

/** What a step says about a quantizer: its gates as they were drawn, what the data say through them, and the prior. */
export interface StepFindings {
  readonly sample: GateSample;
  readonly sums: BackwardSums;
  readonly prior: Complexity;
  /** mu, which multiplies the prior. */
  readonly priorStrength: number;
}

/** Numbers of a quantizer that learn together, on the host: a few, whose kernels would cost more than they. */
export interface LearnedNumbers {
  /** What the optimizer's moments are named by, after the quantizer. */
  readonly name: "phi" | "prune" | "range" | "codebook";
  /** Whose learning rate and optimizer they have. */
  readonly group: "weights" | "gates" | "ranges";
  /** Changed in place. */
  readonly values: Float64Array;
  /** The share of the group's learning rate that they have; 1 if left out. */
  rate?(): number;
  /** The gradient of the loss by `values`. */
  gradient(findings: StepFindings): Float64Array;
  /**
   * Puts values back into their limits after an update.
   *
   * @returns Whether that says that something goes wrong.
   */
  hold(): boolean;
}
