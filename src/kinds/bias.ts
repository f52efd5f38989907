import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind, Pass } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";

/** Adds one number per channel. A factor multiplies these numbers, not what they are added to. */
export interface BiasNode {
  readonly kind: "bias";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, values: NodeId];
}

/** What a bias adds to each channel, and all that its backward needs. */
export function addedBias({ id }: BiasNode, values: Tensor, pass: Pass): Tensor {
  const factor = pass.factor(id);
  return factor === null ? values : pass.ops.multiply(values, factor);
}

export const bias: NodeKind<BiasNode, readonly [Tensor]> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward(node, [x, values], pass) {
    const added = addedBias(node, values, pass);
    return { output: pass.ops.addBias(x, added), saved: [added] };
  },
  addsBias: false,
  backward({ id }, gradient, [added], pass) {
    const sums = pass.ops.sumPerChannel(gradient);
    if (pass.wantsFactor(id)) pass.factorGradient(id, pass.ops.read(pass.ops.multiply(sums, added)));
    const factor = pass.factor(id);
    return [gradient, factor === null ? sums : pass.ops.multiply(sums, factor)];
  },
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, shifts: () => true },
  letsFactorsPass: () => false,
  copies: 0,
};
