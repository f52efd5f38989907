import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { commonShape } from "../graph/shape.ts";
import { gathered, repeatedBack } from "./broadcast.ts";
import { sameChannels } from "./channel-flows.ts";

/**
 * x·scale + shift, one number of each for every channel: what stands behind no layer that could take it in. Scale and
 * shift of another shape are repeated along the axes that they do not have, or that are 1 there, and so is x.
 */
export interface AffineNode {
  readonly kind: "affine";
  readonly id: NodeId;
  readonly inputs: readonly [x: NodeId, scale: NodeId, shift: NodeId];
  /** Whether these have shapes of their own. */
  readonly shaped?: boolean;
}

export const affine: NodeKind<AffineNode, readonly [Tensor, Tensor, Tensor]> = {
  shape({ id, shaped = false }, [x, scale, shift]) {
    const scaled = commonShape(x, scale);
    const shifted = scaled && commonShape(scaled, shift);
    if (shifted === null || (!shaped && `${shifted}` !== `${x}`)) {
      throw new Error(`${id}: reads [${x}], its scale and shift are [${scale}] and [${shift}]`);
    }
    return shifted;
  },
  macs: null,
  readsIntegers: false,
  forward: ({ shaped = false }, inputs, { ops }) => ({ output: affineOf(inputs, shaped, ops), saved: inputs }),
  addsBias: false,
  backward: (_, gradient, [x, scale, shift], { ops }, [needsInput, needsScale, needsShift]) => [
    needsInput ? gathered(ops, ops.multiply(gradient, scale), x.shape) : null,
    needsScale ? repeatedBack(ops, ops.multiply(gradient, x), scale.shape) : null,
    needsShift ? repeatedBack(ops, gradient, shift.shape) : null,
  ],
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, shifts: () => true, isWhole: ({ shaped = false }) => shaped },
  letsFactorsPass: () => false,
  copies: 0,
};

/** x·scale + shift. */
export function affineOf([x, scale, shift]: readonly [Tensor, Tensor, Tensor], shaped: boolean, ops: Ops): Tensor {
  return shaped ? ops.add(ops.multiply(x, scale), shift) : ops.affine(x, scale, shift);
}
