import { at } from "../core/elements.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { wholeChannels } from "./channel-flows.ts";

/** The axes behind the batch in another order: axis i of what it gives is axis `order[i]`, counted without the batch. */
export interface TransposeNode {
  readonly kind: "transpose";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly order: readonly number[];
}

/** The same with the batch in front. */
export const withBatch = (order: readonly number[]): readonly number[] => [0, ...order.map((axis) => axis + 1)];

const inverse = (order: readonly number[]): readonly number[] => order.map((_, axis) => order.indexOf(axis));

export const transpose: NodeKind<TransposeNode, readonly []> = {
  shape({ id, order }, [x]) {
    if (order.length !== x.length || order.toSorted((a, b) => a - b).some((axis, index) => axis !== index)) {
      throw new Error(`${id}: puts the axes of [${x}] in the order ${order}`);
    }
    return order.map((axis) => at(x, axis));
  },
  macs: null,
  readsIntegers: false,
  forward: ({ order }, [x], { ops }) => ({ output: ops.transpose(x, withBatch(order)), saved: [] }),
  addsBias: false,
  backward: ({ order }, gradient, _, { ops }) => [ops.transpose(gradient, withBatch(inverse(order)))],
  nonNegative: (_, [x]) => x,
  grid: "kept",
  channels: wholeChannels,
  letsFactorsPass: () => false,
  copies: 0,
};
