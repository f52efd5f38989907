import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";

/** x·scale + shift, one number of each for every channel: what stands behind no layer that could take it in. */
export interface AffineNode {
  readonly kind: "affine";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, scale: NodeId, shift: NodeId];
}

export const affine: NodeKind<AffineNode, readonly [Tensor, Tensor]> = {
  shape: (_, [x]) => x,
  macs: null,
  readsIntegers: false,
  forward: (_, [x, scale, shift], { ops }) => ({ output: ops.affine(x, scale, shift), saved: [x, scale] }),
  addsBias: false,
  backward: (_, gradient, [x, scale], { ops }, [needsInput]) => [
    needsInput ? ops.multiply(gradient, scale) : null,
    ops.sumPerChannel(ops.multiply(gradient, x)),
    ops.sumPerChannel(gradient),
  ],
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, shifts: () => true },
  letsFactorsPass: () => false,
  copies: 0,
};
