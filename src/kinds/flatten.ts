import { first } from "../core/elements.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { sameChannels } from "./channel-flows.ts";

/** A tensor of any rank as one row, channels fastest: [height, width, channels] to [height·width·channels]. */
export interface FlattenNode {
  readonly kind: "flatten";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
}

export const flatten: NodeKind<FlattenNode, readonly [Tensor]> = {
  shape: (_, [x]) => [elementsOf(x)],
  macs: null,
  readsIntegers: false,
  forward(_, [x], { ops }) {
    return { output: ops.reshape(x, [first(x.shape), elementsOf(x.shape.slice(1))]), saved: [x] };
  },
  addsBias: false,
  backward: (_, gradient, [x], { ops }) => [ops.reshape(gradient, x.shape)],
  nonNegative: (_, [x]) => x,
  grid: "kept",
  channels: { ...sameChannels, sources: (_, channel, sizes) => [{ input: 0, channel: channel % first(sizes) }] },
  letsFactorsPass: () => true,
  copies: 0,
};
