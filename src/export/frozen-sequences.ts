import type { Base } from "./frozen-base.ts";

/** The same numbers in another shape. */
interface FrozenReshape extends Base {
  readonly kind: "reshape";
}

/** Axis i of what it gives is axis `order[i]`, counted without the batch. */
interface FrozenTranspose extends Base {
  readonly kind: "transpose";
  readonly order: readonly number[];
}

/** As many places of an axis as its shape says. */
interface FrozenSlice extends Base {
  readonly kind: "slice";
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** Over the last axis. */
interface FrozenSoftmax extends Base {
  readonly kind: "softmax";
}

/** [tokens] and [.., tokens]: over the tokens that are no padding. */
interface FrozenMaskedSoftmax extends Base {
  readonly kind: "masked-softmax";
}

/** [tokens] to [tokens]: 1 for each that is no padding. */
interface FrozenTokenMask extends Base {
  readonly kind: "token-mask";
}

/** Rows of the last axis normalised, times scale, plus shift. */
interface FrozenLayerNorm extends Base {
  readonly kind: "layer-norm";
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly epsilon: number;
}

/** The matrix products of two activations over all axes before the last two. */
interface FrozenMatmul extends Base {
  readonly kind: "matmul";
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Nodes on tensors of any rank. */
export type FrozenSequence =
  | FrozenReshape
  | FrozenTranspose
  | FrozenSlice
  | FrozenSoftmax
  | FrozenMaskedSoftmax
  | FrozenTokenMask
  | FrozenLayerNorm
  | FrozenMatmul;
