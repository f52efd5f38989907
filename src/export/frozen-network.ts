import type { Padding } from "../network/graph.ts";

/** Integer bit-widths that a stored tensor can have. */
export type IntegerBits = 2 | 4 | 8 | 16;

/** A weight on its learned grid: value = code · scale, codes symmetric in ±(2^(bits-1) - 1). */
export interface IntegerTensor {
  readonly bits: IntegerBits;
  readonly scale: number;
  readonly shape: readonly number[];
  readonly codes: Int32Array;
}

/** A weight whose learned bit-width is 32. */
export interface FloatTensor {
  readonly bits: 32;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type FrozenTensor = IntegerTensor | FloatTensor;

interface Base {
  readonly id: string;
  /** The node it reads; the empty string for the input. */
  readonly input: string;
  /** Without the batch: [height, width, channels] or [units], after pruning. */
  readonly outputShape: readonly number[];
}

/** A layer with weights. Shapes: convolution [kernel height, kernel width, in, out], dense [in, out]. */
export interface FrozenLayer extends Base {
  readonly kind: "conv2d" | "dense";
  readonly weight: FrozenTensor;
  /** One value per output channel, float32. */
  readonly bias: Float32Array;
  /** For convolutions. */
  readonly stride: number;
  readonly padding: Padding;
  /** Indices, in the unpruned layer, of the output channels that are left. */
  readonly keptOutputs: readonly number[];
  readonly unprunedOutputs: number;
}

export interface FrozenPool extends Base {
  readonly kind: "max-pool";
  readonly size: number;
  readonly stride: number;
}

/**
 * An activation quantizer. Integer: code = clamp(roundHalfEven(x / scale), lowest, highest) with
 * scale = range / (2^bits - 1), range = xMax (unsigned, codes 0…2^bits-1) or 2·xMax (signed, codes ±(2^(bits-1)-1)).
 * 32 bits: a clip to [0 or -xMax, xMax].
 */
export interface FrozenQuantizer extends Base {
  readonly kind: "quantizer";
  readonly bits: IntegerBits | 32;
  readonly signed: boolean;
  readonly xMax: number;
}

export interface FrozenSimple extends Base {
  readonly kind: "input" | "relu" | "flatten";
}

export type FrozenNode = FrozenLayer | FrozenPool | FrozenQuantizer | FrozenSimple;

/**
 * A trained network with its gates at their test-time values: integer codes, scales, kept channels; pruned channels
 * are gone, with their consumers' inputs. Channels last ([height, width, channels]); flatten keeps channels fastest.
 * Immutable; every export format is a lowering of it.
 */
export interface FrozenNetwork {
  readonly name: string;
  /** In topological order; the first is the input. */
  readonly nodes: readonly FrozenNode[];
  /** The node whose output are the logits. */
  readonly output: string;
  readonly classes: readonly string[];
  /** The input is normalised as (pixel/255 - mean) / deviation, one entry per channel. */
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
}
