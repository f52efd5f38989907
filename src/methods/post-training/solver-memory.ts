/** What decides how much memory it takes to quantize a layer. */
export interface ProblemSize {
  readonly groups: number;
  /** Calibration images, and places of each. */
  readonly samples: number;
  readonly positions: number;
  /** Of one output. */
  readonly inputs: number;
  /** Of all groups together. */
  readonly outputs: number;
}

const FLOAT = 4;
const DOUBLE = 8;

/**
 * Rows are held on the host and on the engine; targets too, negated ones on the host, and what a layer's error is made
 * of. Fitted to measured peaks of LeNet-5 on the native engine, in MiB: nearest 593 at 2048 images (the estimate says
 * 567), adaround 586 (572), bit-split 84 at 256 (79).
 */
const INPUTS = 2;
const TARGETS = 10;
/** Weights, codes, choices, moments, gradients. */
const WEIGHTS = 8;

/** Bytes of a layer's calibration rows alone, as they are collected. */
export const rowBytes = ({ groups, samples, positions, inputs, outputs }: ProblemSize): number =>
  FLOAT * samples * positions * (groups * inputs + outputs);

/**
 * Bytes that are held at once while a layer is solved.
 *
 * @param batch Images of a learned rounding's step: their rows are gathered, with products of their own.
 * @param sums Whether X^T X is summed (`Gram`).
 */
export function solverBytes(
  { groups, samples, positions, inputs, outputs }: ProblemSize,
  { batch = 0, sums = false }: { readonly batch?: number; readonly sums?: boolean },
): number {
  const rows = positions * (INPUTS * samples + Math.min(batch, samples)) * groups * inputs;
  const targets = positions * TARGETS * (samples + Math.min(batch, samples)) * outputs;
  const products = sums ? groups * inputs * inputs + outputs * inputs : 0;
  return FLOAT * (rows + targets + WEIGHTS * outputs * inputs) + DOUBLE * products;
}
