import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { ownChannels } from "./channel-flows.ts";
import { inverseDeviation, perChannel } from "./norm-affine.ts";

/**
 * A weight times scale/sqrt(running variance + epsilon) of the batch normalization `norm`, per output channel: the
 * weight as it is deployed.
 */
export interface FoldNode {
  readonly kind: "fold";
  readonly id: NodeId;
  readonly inputs: readonly [weight: NodeId, scale: NodeId];
  /** The batch normalization whose statistics are folded. */
  readonly norm: NodeId;
  readonly epsilon: number;
}

/** Its gradient goes to the scale as well; the running deviation is a constant. */
export const fold: NodeKind<FoldNode, readonly [Tensor, Tensor, Tensor]> = {
  shape: (_, [weight]) => weight,
  macs: null,
  readsIntegers: false,
  forward({ norm, epsilon }, [weight, scale], pass) {
    const inverse = perChannel(pass, inverseDeviation(pass.statistics(norm), epsilon));
    const factor = pass.ops.multiply(scale, inverse);
    return { output: pass.ops.multiply(weight, factor), saved: [weight, factor, inverse] };
  },
  addsBias: false,
  backward(_, gradient, [weight, factor, inverse], { ops }) {
    const byScale = ops.multiply(ops.sumPerChannel(ops.multiply(gradient, weight)), inverse);
    return [ops.multiply(gradient, factor), byScale];
  },
  nonNegative: () => false,
  grid: "new",
  channels: ownChannels,
  letsFactorsPass: () => false,
  copies: 0,
};
