import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape } from "./windows.ts";

/** [height, width, channels] to [channels]: the mean of each channel. */
export interface GlobalAveragePoolNode {
  readonly kind: "global-average-pool";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
}

export const globalAveragePool: NodeKind<GlobalAveragePoolNode, readonly [Tensor]> = {
  shape: ({ id }, [x]) => [imageShape(id, x)[2]],
  macs: null,
  readsIntegers: false,
  forward: (_, [x], { ops }) => ({ output: ops.globalAveragePool(x), saved: [x] }),
  addsBias: false,
  backward: (_, gradient, [x], { ops }) => [ops.globalAveragePoolGradient(x.shape, gradient)],
  nonNegative: (_, [x]) => x,
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: () => true,
  copies: 0,
};
