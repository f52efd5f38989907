import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { aligned, bothChannels, gathered, metShape } from "./broadcast.ts";
import { sameChannels } from "./channel-flows.ts";

/** Elementwise product; [channels] multiplies each pixel of an image, as squeeze-and-excitation does. */
export interface MultiplyNode {
  readonly kind: "multiply";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId, NodeId];
}

export const multiply: NodeKind<MultiplyNode, readonly [Tensor, Tensor]> = {
  shape: ({ id }, inputs) => metShape(id, "multiplies", inputs),
  macs: null,
  readsIntegers: false,
  forward(_, inputs, { ops }) {
    const [left, right] = aligned(ops, inputs);
    return { output: ops.multiply(left, right), saved: inputs };
  },
  addsBias: false,
  backward(_, gradient, saved, { ops }, [needsLeft, needsRight]) {
    const [left, right] = aligned(ops, saved);
    const by = (other: Tensor, { shape }: Tensor) => gathered(ops, ops.multiply(gradient, other), shape);
    return [needsLeft ? by(right, saved[0]) : null, needsRight ? by(left, saved[1]) : null];
  },
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "new",
  channels: { ...sameChannels, inputs: "multiplied", sources: bothChannels },
  letsFactorsPass: () => false,
  copies: 0,
};
