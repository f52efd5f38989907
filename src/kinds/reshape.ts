import { first } from "../core/elements.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId, Shape } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { wholeChannels } from "./channel-flows.ts";

/** The same numbers in another shape. */
export interface ReshapeNode {
  readonly kind: "reshape";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  /** Of what it gives, without the batch. */
  readonly shape: Shape;
}

export const reshape: NodeKind<ReshapeNode, readonly [Tensor]> = {
  shape({ id, shape }, [x]) {
    if (elementsOf(shape) !== elementsOf(x)) throw new Error(`${id}: makes [${shape}] of [${x}], other numbers`);
    return shape;
  },
  macs: null,
  readsIntegers: false,
  forward: ({ shape }, [x], { ops }) => ({ output: ops.reshape(x, [first(x.shape), ...shape]), saved: [x] }),
  addsBias: false,
  backward: (_, gradient, [x], { ops }) => [ops.reshape(gradient, x.shape)],
  nonNegative: (_, [x]) => x,
  grid: "kept",
  channels: wholeChannels,
  letsFactorsPass: () => false,
  copies: 0,
};
