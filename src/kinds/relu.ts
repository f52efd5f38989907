import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";

/** The larger of x and 0, at most `limit`. */
export interface ReluNode {
  readonly kind: "relu";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  /** 6 for ReLU6; null: no limit. */
  readonly limit: number | null;
}

export const relu: NodeKind<ReluNode, readonly [Tensor]> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward({ limit }, [x], { ops }) {
    if (limit !== null) return { output: ops.cappedRelu(x, limit), saved: [x] };
    const output = ops.relu(x);
    return { output, saved: [output] };
  },
  addsBias: false,
  backward({ limit }, gradient, [saved], { ops }) {
    if (limit !== null) return [ops.rangeMask(saved, gradient, { signed: false, xMax: limit })];
    return [ops.reluGradient(saved, gradient)];
  },
  nonNegative: () => true,
  // A limit need not be on the grid.
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: ({ limit }) => limit === null,
  copies: 0,
};
