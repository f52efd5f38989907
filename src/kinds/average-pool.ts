import type { Pair } from "../core/pair.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape, noPadding, windowOutput } from "./windows.ts";

/** Mean of each window. */
export interface AveragePoolNode {
  readonly kind: "average-pool";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly size: Pair;
  readonly strides: Pair;
}

export const averagePool: NodeKind<AveragePoolNode, readonly [Tensor]> = {
  shape({ id, size, strides }, [x]) {
    const image = imageShape(id, x);
    return [...windowOutput(id, image, { kernel: size, strides, padding: noPadding }), image[2]];
  },
  macs: null,
  readsIntegers: false,
  forward: (node, [x], { ops }) => ({ output: ops.averagePool(x, node), saved: [x] }),
  addsBias: false,
  backward: (node, gradient, [x], { ops }) => [ops.averagePoolGradient(x.shape, gradient, node)],
  nonNegative: (_, [x]) => x,
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: () => true,
  copies: 0,
};
