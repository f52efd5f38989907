import { first, last } from "../core/elements.ts";
import { tuple } from "../core/tuple.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { mixedChannels } from "./channel-flows.ts";

/** Rows of a table by their numbers: [tokens] (int32) and [vocabulary, units] to [tokens, units]. */
export interface EmbeddingNode {
  readonly kind: "embedding";
  readonly id: NodeId;
  readonly inputs: readonly [tokens: NodeId, weight: NodeId];
}

export const embedding: NodeKind<EmbeddingNode, readonly [Tensor, Tensor]> = {
  shape({ id }, [tokens, weight]) {
    const [, units] = tuple(weight, 2);
    return [...tokenShape(id, tokens), units];
  },
  // Rows are copied: nothing is multiplied.
  macs: () => 0,
  readsIntegers: true,
  forward: (_, [tokens, weight], { ops }) => ({ output: ops.gather(weight, tokens, 0), saved: [tokens, weight] }),
  addsBias: false,
  backward: (_, gradient, [tokens, weight], { ops }) => [null, ops.sumByIndex(gradient, tokens, first(weight.shape))],
  nonNegative: () => false,
  grid: "new",
  channels: mixedChannels,
  letsFactorsPass: () => false,
  copies: 0,
};

/**
 * The shape of a text.
 *
 * @throws Error when it is none.
 */
export function tokenShape(id: NodeId, shape: readonly number[]): readonly [tokens: number] {
  if (shape.length !== 1) throw new Error(`${id}: reads [${shape}], expected the numbers of tokens, [tokens]`);
  return [last(shape)];
}
