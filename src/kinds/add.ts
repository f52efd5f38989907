import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";

/** Elementwise sum of two tensors of one shape: a residual connection. */
export interface AddNode {
  readonly kind: "add";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId, NodeId];
}

export const add: NodeKind<AddNode, readonly []> = {
  shape({ id }, [left, right]) {
    if (`${left}` !== `${right}`) throw new Error(`${id}: adds [${left}] and [${right}], which differ`);
    return left;
  },
  macs: null,
  readsIntegers: false,
  forward: (_, [left, right], { ops }) => ({ output: ops.add(left, right), saved: [] }),
  addsBias: false,
  backward: (_, gradient) => [gradient, gradient],
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "new",
  channels: {
    ...sameChannels,
    inputs: "added",
    sources: (_, channel) => [
      { input: 0, channel },
      { input: 1, channel },
    ],
  },
  letsFactorsPass: () => false,
  copies: 0,
};
