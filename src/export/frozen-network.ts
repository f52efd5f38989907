import type { Padding } from "../graph/graph.ts";

/** Integer bit-widths that a stored tensor can have. */
export type IntegerBits = 2 | 4 | 8 | 16;

/** A weight on its grid: value = code · scale, one multiplication in float32, codes symmetric in ±(2^(bits-1) - 1). */
export interface IntegerTensor {
  readonly bits: IntegerBits | 3;
  /** The step of the whole tensor, or one for each output channel, the last axis. */
  readonly scale: number | Float32Array;
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
  /** The nodes it reads, in order. */
  readonly inputs: readonly string[];
  /** Without the batch: [height, width, channels] or [units], after pruning. */
  readonly outputShape: readonly number[];
}

/** The images, normalised. */
export interface FrozenInput extends Base {
  readonly kind: "input";
}

/**
 * A layer with weights. Shapes: convolution [kernel height, kernel width, in, out], depthwise [kernel height, kernel
 * width, 1, channels], dense [in, out]. What is left of a folded batch normalization is part of its bias.
 */
export interface FrozenLayer extends Base {
  readonly kind: "conv2d" | "depthwise-conv2d" | "dense";
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

/** x·scale + shift per channel: a batch normalization that stands behind no layer. */
export interface FrozenAffine extends Base {
  readonly kind: "affine";
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

export interface FrozenPool extends Base {
  readonly kind: "max-pool" | "average-pool";
  readonly size: number;
  readonly stride: number;
  /** Padding never wins; averages have none. */
  readonly padding: Padding;
}

/** The larger of x and 0, at most `limit`. */
export interface FrozenRelu extends Base {
  readonly kind: "relu";
  readonly limit: number | null;
}

/** Adds rows, columns and channels of zeros. */
export interface FrozenPad extends Base {
  readonly kind: "pad";
  readonly padding: Padding;
  readonly channels: readonly [before: number, after: number];
}

/** Some channels of an image: what a depthwise convolution reads when its own gates have closed others. */
export interface FrozenSelect extends Base {
  readonly kind: "select";
  /** Indices among the channels that the input has. */
  readonly channels: readonly number[];
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
  /** Indices, before pruning, of the channels that are left, and how many there were. */
  readonly kept: readonly number[];
  readonly channels: number;
}

/** Global averages give [channels], flattening keeps channels fastest, a sum has two inputs of one shape. */
export interface FrozenSimple extends Base {
  readonly kind: "global-average-pool" | "flatten" | "add";
}

export type FrozenNode =
  | FrozenInput
  | FrozenLayer
  | FrozenAffine
  | FrozenPool
  | FrozenRelu
  | FrozenPad
  | FrozenSelect
  | FrozenQuantizer
  | FrozenSimple;

export const isFrozenLayer = (node: FrozenNode): node is FrozenLayer => "weight" in node;

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
