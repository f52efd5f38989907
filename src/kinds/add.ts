import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { aligned, bothChannels, gathered, metShape } from "./broadcast.ts";
import { sameChannels } from "./channel-flows.ts";

/** Elementwise sum: a residual connection; [channels] is added to each pixel of an image. */
export interface AddNode {
  readonly kind: "add";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId, NodeId];
}

/** Inputs are kept for the way back where one of them is repeated, for its shape alone. */
export const add: NodeKind<AddNode, readonly [] | readonly [Tensor, Tensor]> = {
  shape: ({ id }, inputs) => metShape(id, "adds", inputs),
  macs: null,
  readsIntegers: false,
  forward(_, inputs, { ops }) {
    const [left, right] = aligned(ops, inputs);
    return { output: ops.add(left, right), saved: `${left.shape}` === `${right.shape}` ? [] : inputs };
  },
  addsBias: false,
  backward(_, gradient, saved, { ops }) {
    if (saved.length === 0) return [gradient, gradient];
    const [left, right] = saved;
    return [gathered(ops, gradient, left.shape), gathered(ops, gradient, right.shape)];
  },
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "new",
  channels: { ...sameChannels, inputs: "added", sources: bothChannels },
  letsFactorsPass: () => false,
  copies: 0,
};
