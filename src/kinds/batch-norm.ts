import type { Tensor } from "../engine/ops.ts";
import type { BatchNormNode, FoldNode } from "../graph/graph.ts";
import type { NodeKind, Pass, RunningStatistics } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";

/** Factor between the biased variance of `x` and the unbiased one. */
export const unbiased = (x: Tensor): number => {
  const count = elementsOf(x.shape) / x.shape.at(-1)!;
  return count > 1 ? count / (count - 1) : 1;
};

/** 1/sqrt(variance + epsilon) per channel. */
export const inverseDeviation = ({ variance }: RunningStatistics, epsilon: number): Float32Array =>
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

/** Batch normalization by the batch in training; by its running statistics when evaluated, or frozen. */
export const batchNorm: NodeKind<BatchNormNode> = {
  shape: (_, [x]) => x!,
  forward({ id, epsilon, frozen }, [x, scale, shift], pass) {
    const { ops } = pass;
    if (!pass.training || frozen) {
      const running = pass.statistics(id);
      const inverse = perChannel(pass, inverseDeviation(running, epsilon));
      const factor = ops.multiply(scale!, inverse);
      const centre = ops.multiply(
        factor,
        perChannel(
          pass,
          running.mean.map((value) => -value),
        ),
      );
      return { output: ops.affine(x!, factor, ops.add(shift!, centre)), saved: [factor] };
    }
    const { output, statistics } = ops.batchNorm(x!, scale!, shift!, epsilon);
    const correction = unbiased(x!);
    pass.observe(id, {
      mean: ops.read(statistics.mean) as Float32Array,
      variance: (ops.read(statistics.variance) as Float32Array).map((value) => value * correction),
    });
    return { output, saved: [x!, scale!, statistics.mean, statistics.variance] };
  },
  backward({ epsilon, frozen }, gradient, saved, { ops }) {
    if (frozen) return [ops.multiply(gradient, saved[0]!), null, null];
    const [x, scale, mean, variance] = saved;
    const statistics = { mean: mean!, variance: variance! };
    const gradients = ops.batchNormGradient(x!, gradient, scale!, statistics, epsilon);
    return [gradients.x, gradients.scale, gradients.shift];
  },
};

/** The weight as it is deployed; its gradient goes to the scale as well, the running deviation is a constant. */
export const fold: NodeKind<FoldNode> = {
  shape: (_, [weight]) => weight!,
  forward({ norm, epsilon }, [weight, scale], pass) {
    const inverse = perChannel(pass, inverseDeviation(pass.statistics(norm), epsilon));
    const factor = pass.ops.multiply(scale!, inverse);
    return { output: pass.ops.multiply(weight!, factor), saved: [weight!, factor, inverse] };
  },
  backward(_, gradient, [weight, factor, inverse], { ops }) {
    const byScale = ops.multiply(ops.sumPerChannel(ops.multiply(gradient, weight!)), inverse!);
    return [ops.multiply(gradient, factor!), byScale];
  },
};
