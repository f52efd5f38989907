import type { OfKind } from "../core/by-kind.ts";
import type { Pair } from "../core/pair.ts";
import type { Nonlinearity } from "../engine/nonlinearity.ts";
import type { Padding } from "../graph/graph.ts";
import type { Base } from "./frozen-base.ts";
import type { FrozenAveragePool, FrozenGlobalAveragePool, FrozenMaxPool, FrozenResize } from "./frozen-pools.ts";
import type { FrozenSequence } from "./frozen-sequences.ts";
import type { FrozenTensor, IntegerBits } from "./frozen-tensor.ts";

export type { FrozenCodebook, FrozenTensor, IntegerBits, IntegerTensor } from "./frozen-tensor.ts";

/** What goes in: normalised images or values, or the numbers of tokens, in int32. */
export interface FrozenInput extends Base {
  readonly kind: "input";
  readonly dtype: "float32" | "int32";
}

/** What layers with weights have in common. What is left of a folded batch normalization is part of the bias. */
interface WithWeight extends Base {
  readonly weight: FrozenTensor;
  /** One value per output channel, float32. */
  readonly bias: Float32Array;
  /** Indices, in the unpruned layer, of the output channels that are left. */
  readonly keptOutputs: readonly number[];
  readonly unprunedOutputs: number;
}

/** Weight: [kernel height, kernel width, in of a group, out]. */
export interface FrozenConv2d extends WithWeight {
  readonly kind: "conv2d";
  readonly groups: number;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** One kernel per channel; weight: [kernel height, kernel width, 1, channels]. */
export interface FrozenDepthwiseConv2d extends WithWeight {
  readonly kind: "depthwise-conv2d";
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

/** Weight: [kernel height, kernel width, in, out]; see `ConvTransposeNode`. */
export interface FrozenConvTranspose extends WithWeight {
  readonly kind: "conv-transpose";
  readonly strides: Pair;
  readonly padding: Padding;
  readonly outputPadding: Pair;
}

/** Weight: [in, out]; over the last axis of any rank. */
export interface FrozenDense extends WithWeight {
  readonly kind: "dense";
}

export type FrozenConvolution = FrozenConv2d | FrozenDepthwiseConv2d;

/** A layer with weights. */
export type FrozenLayer = FrozenConvolution | FrozenConvTranspose | FrozenDense;

/** Rows of a table by the numbers of tokens; weight: [vocabulary, units]. */
export interface FrozenEmbedding extends Base {
  readonly kind: "embedding";
  readonly weight: FrozenTensor;
  /** Indices, in the unpruned table, of the units that are left. */
  readonly keptOutputs: readonly number[];
  readonly unprunedOutputs: number;
}

/** Codewords, side by side, by the codes that tokens have. */
export interface FrozenCodedEmbedding extends Base {
  readonly kind: "coded-embedding";
  readonly groups: number;
  /** [vocabulary, groups] */
  readonly codes: Uint16Array;
  /** [tables, codewords, units]: a table for each group, or one for all. */
  readonly values: Float32Array;
  readonly valuesShape: readonly [tables: number, codewords: number, units: number];
}

/** [tokens] and [tokens, units] to [units]: the mean over the tokens that are no padding. */
export interface FrozenMaskedMean extends Base {
  readonly kind: "masked-mean";
}

/** x·scale + shift: what stands behind no layer. */
export interface FrozenAffine extends Base {
  readonly kind: "affine";
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  /** Of both, [channels] or any shape that is repeated to that of x, aligned at their ends. */
  readonly shape: readonly number[];
}

/** [height, width, channels] to [height·width·channels], channels fastest. */
export interface FrozenFlatten extends Base {
  readonly kind: "flatten";
}

/** The sum of two values, one of which may be repeated: [channels] for each pixel of an image. */
export interface FrozenAdd extends Base {
  readonly kind: "add";
}

/** Values of one shape but for the last axis, side by side on it. */
export interface FrozenConcat extends Base {
  readonly kind: "concat";
}

/** The larger of x and 0, at most `limit`. */
export interface FrozenRelu extends Base {
  readonly kind: "relu";
  readonly limit: number | null;
}

/** The product of two values, one of which may be repeated: [channels] for each pixel of an image. */
export interface FrozenMultiply extends Base {
  readonly kind: "multiply";
}

/** A function of each element by itself. */
export interface FrozenNonlinear extends Base {
  readonly kind: "nonlinear";
  readonly of: Nonlinearity;
}

/** Adds rows, columns and channels of zeros. */
export interface FrozenPad extends Base {
  readonly kind: "pad";
  readonly padding: Padding;
  readonly channels: readonly [before: number, after: number];
}

/** Some of the channels: what a depthwise convolution or a product reads where others are closed behind it. */
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

export type FrozenNode =
  | FrozenInput
  | FrozenLayer
  | FrozenEmbedding
  | FrozenCodedEmbedding
  | FrozenAffine
  | FrozenMaxPool
  | FrozenAveragePool
  | FrozenGlobalAveragePool
  | FrozenMaskedMean
  | FrozenResize
  | FrozenRelu
  | FrozenNonlinear
  | FrozenAdd
  | FrozenMultiply
  | FrozenConcat
  | FrozenPad
  | FrozenSelect
  | FrozenFlatten
  | FrozenSequence
  | FrozenQuantizer;

export type FrozenKind = FrozenNode["kind"];

/** Whether a kind has a weight; the types say the same. */
const weighted: { readonly [K in FrozenKind]: OfKind<FrozenNode, K> extends FrozenLayer ? true : false } = {
  input: false,
  conv2d: true,
  "depthwise-conv2d": true,
  "conv-transpose": true,
  dense: true,
  embedding: false,
  "coded-embedding": false,
  affine: false,
  "max-pool": false,
  "average-pool": false,
  "global-average-pool": false,
  "masked-mean": false,
  resize: false,
  relu: false,
  nonlinear: false,
  add: false,
  multiply: false,
  concat: false,
  pad: false,
  select: false,
  flatten: false,
  reshape: false,
  transpose: false,
  slice: false,
  softmax: false,
  "masked-softmax": false,
  "token-mask": false,
  "layer-norm": false,
  matmul: false,
  quantizer: false,
};

export const isFrozenLayer = (node: FrozenNode): node is FrozenLayer => weighted[node.kind];

/**
 * A trained network with its gates at their test-time values: integer codes, scales, kept channels; pruned channels
 * are gone, with their consumers' inputs. Channels last ([height, width, channels]); flatten keeps channels fastest.
 * Immutable; every export format is a lowering of it.
 */
export interface FrozenNetwork {
  readonly name: string;
  /** In topological order; the first is the input. */
  readonly nodes: readonly FrozenNode[];
  /** The node whose output is the network's. */
  readonly output: string;
  /** Names of what its outputs are logits of; none where they are values. */
  readonly classes: readonly string[];
  /** Images are normalised as (pixel/255 - mean) / deviation, one entry per channel; null: the input is tokens. */
  readonly normalization: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null;
}
