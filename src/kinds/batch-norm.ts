import type { Tensor } from "../engine/ops.ts";
import { readFloats } from "../engine/read-floats.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { channelsOf } from "../graph/shape.ts";
import { sameChannels } from "./channel-flows.ts";
import { inverseDeviation, perChannel, unbiased } from "./norm-affine.ts";

/**
 * Batch normalization: (x - mean)/sqrt(variance + epsilon)·scale + shift, with the batch's statistics in training and
 * the running ones otherwise.
 */
export interface BatchNormNode {
  readonly kind: "batch-norm";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, scale: NodeId, shift: NodeId];
  readonly epsilon: number;
  /** Whether it is a constant factor and shift in training too, of the running statistics: for fine-tuning. */
  readonly frozen: boolean;
}

/** The factor where the running statistics count; x, scale, mean and variance where those of the batch do. */
type SavedNorm = readonly [Tensor] | readonly [Tensor, Tensor, Tensor, Tensor];

export const batchNorm: NodeKind<BatchNormNode, SavedNorm> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward({ id, epsilon, frozen }, [x, scale, shift], pass) {
    const { ops } = pass;
    if (!pass.training || frozen) {
      const running = pass.statistics(id);
      const inverse = perChannel(pass, inverseDeviation(running, epsilon));
      const factor = ops.multiply(scale, inverse);
      const centre = ops.multiply(
        factor,
        perChannel(
          pass,
          running.mean.map((value) => -value),
        ),
      );
      return { output: ops.affine(x, factor, ops.add(shift, centre)), saved: [factor] };
    }
    const { output, statistics } = ops.batchNorm(x, scale, shift, epsilon);
    const correction = unbiased(x);
    pass.observe(id, {
      mean: readFloats(ops, statistics.mean),
      variance: readFloats(ops, statistics.variance).map((value) => value * correction),
    });
    return { output, saved: [x, scale, statistics.mean, statistics.variance] };
  },
  addsBias: false,
  backward({ epsilon }, gradient, saved, { ops }) {
    if (saved.length === 1) return [ops.multiply(gradient, saved[0]), null, null];
    const [x, scale, mean, variance] = saved;
    const gradients = ops.batchNormGradient(x, gradient, scale, { mean, variance }, epsilon);
    return [gradients.x, gradients.scale, gradients.shift];
  },
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, shifts: () => true },
  letsFactorsPass: () => false,
  statistics: (_, [x]) => channelsOf(x),
  copies: 0,
};
