import { isPositive, type Nonlinearity } from "../engine/nonlinearity.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";

/** A function of each element by itself, besides the ReLU. */
export interface NonlinearNode {
  readonly kind: "nonlinear";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly of: Nonlinearity;
}

export const nonlinear: NodeKind<NonlinearNode, readonly [Tensor]> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward: ({ of }, [x], { ops }) => ({ output: ops.nonlinear(x, of), saved: [x] }),
  addsBias: false,
  backward: ({ of }, gradient, [x], { ops }) => [ops.nonlinearGradient(x, gradient, of)],
  nonNegative: ({ of }) => isPositive(of) || of.kind === "sqrt",
  grid: "new",
  channels: {
    ...sameChannels,
    shifts: ({ of }) => isPositive(of),
    // Nothing is the reciprocal of a channel of zeros.
    isWhole: ({ of }) => of.kind === "reciprocal",
  },
  letsFactorsPass: ({ of }) => of.kind === "leaky-relu",
  copies: 0,
};
