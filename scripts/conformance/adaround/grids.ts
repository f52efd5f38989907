import type { WeightGrid } from "../../../src/quantization/weight-grid.ts";
import { largestDifference, largestMagnitude } from "../compare.ts";

/** AdaRound's figures are float32: tensors agree to this, relative to their largest element. */
export const REAL = 1e-5;

/** The file's grids, codes 0…2^bits - 1 with a zero point, for each of `outputs` channels. */
export function gridsOf(
  { bits, step, zero }: { bits: number; step: readonly number[]; zero: readonly number[] },
  outputs: number,
): readonly WeightGrid[] {
  return Array.from({ length: outputs }, (_, output) => {
    const channel = step.length === 1 ? 0 : output;
    const lowest = 0 - zero[channel]!;
    return { step: step[channel]!, lowest, highest: 2 ** bits - 1 + lowest };
  });
}

export const tensorError = (actual: ArrayLike<number>, expected: readonly number[]): number =>
  largestDifference(actual, expected) / Math.max(largestMagnitude(expected), 1e-30);
