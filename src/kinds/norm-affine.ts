import { last } from "../core/elements.ts";
import type { Tensor } from "../engine/ops.ts";
import type { Pass, RunningStatistics } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";

/** Factor between the biased variance of `x` and the unbiased one. */
export const unbiased = (x: Tensor): number => {
  const count = elementsOf(x.shape) / last(x.shape);
  return count > 1 ? count / (count - 1) : 1;
};

/** 1/sqrt(variance + epsilon) per channel. */
export const inverseDeviation = ({ variance }: Pick<RunningStatistics, "variance">, epsilon: number): Float32Array =>
  variance.map((value) => 1 / Math.sqrt(value + epsilon));

/**
 * A batch normalization with its running statistics as x·factor + shift, rounded to float32 where the engine's kernels
 * round.
 */
export function normAsAffine(
  running: RunningStatistics,
  { epsilon, scale, shift }: { epsilon: number; scale: Float32Array; shift: Float32Array },
): { readonly factor: Float32Array; readonly shift: Float32Array } {
  const inverse = inverseDeviation(running, epsilon);
  const centre = running.mean.map((mean, channel) => -mean * inverse[channel]!);
  return {
    factor: scale.map((value, channel) => value * inverse[channel]!),
    shift: shift.map((value, channel) => value + Math.fround(scale[channel]! * centre[channel]!)),
  };
}

/** Per-channel numbers as a tensor. */
export const perChannel = ({ ops }: Pass, values: Float32Array): Tensor => ops.tensor(values, [values.length]);
