import type { Ops, Tensor, WeightedLevel } from "../engine/ops.ts";
import type { BitWidth } from "../quantization/levels.ts";
import type { AnyNode, NodeId, Shape } from "./graph.ts";

/** How a quantizer stands in this pass, decided on the host by the method. */
export interface QuantizationParameters {
  /** Of the tensor, or of its widest channel. */
  readonly xMax: number;
  /** The range's end by output channel, the last axis; null where all channels share xMax. */
  readonly ranges: Float32Array | null;
  /** The terms with a weight above zero. */
  readonly terms: readonly WeightedLevel[];
  /** Bit-widths X_b whose inner product with the gradient the gates need; empty when all gates are saturated. */
  readonly wanted: readonly BitWidth[];
  /** What a weight's codes stand for in its codebook, in its own order: it takes the weight's place. */
  readonly decoded?: Float32Array | undefined;
}

/** Running statistics of a batch normalization, per channel, or of responses, per codeword, on the host. */
export interface RunningStatistics {
  readonly mean: Float32Array;
  /** Unbiased, as PyTorch's; of a coded embedding's responses biased, as its authors'. */
  readonly variance: Float32Array;
}

/** What nodes find in a pass over the network. */
export interface Pass {
  readonly ops: Ops;
  /** Whether batch normalization uses the batch's statistics. */
  readonly training: boolean;
  /** Current values of the trained tensors. */
  parameter(id: NodeId): Tensor;
  quantizer(id: NodeId): QuantizationParameters;
  /** What multiplies each channel of a node's result, [channels]; null: nothing does. */
  factor(id: NodeId): Tensor | null;
  /** Running statistics of a batch normalization. */
  statistics(norm: NodeId): RunningStatistics;
  /** A batch's statistics, in training; the running ones move towards them. */
  observe(norm: NodeId, batch: RunningStatistics): void;
  /** The codes of a coded embedding once they are frozen, [vocabulary, groups]; null: they follow what it has learned. */
  codes(id: NodeId): Int32Array | null;
  /** What goes into the network at an input node, [batch, …]; consumed by the pass. */
  input(id: NodeId): Tensor;
}

/** A pass that hears what quantizers and factors learn, and what a node adds to the loss. */
export interface BackwardPass extends Pass {
  /** <g, x_q> - <g_x, x> of the tensor, or of each channel that has a range: over xMax it is the range's gradient. */
  range(id: NodeId, inner: ArrayLike<number>): void;
  /** <g, z_2·X_b> for each wanted bit-width: of the tensor, or of each channel where the terms have weights for each. */
  level(id: NodeId, bits: BitWidth, inner: ArrayLike<number>): void;
  /** What a node adds to the task's loss; its gradients are among those that `backward` gives. */
  penalty(id: NodeId, value: number): void;
  /** The gradient of the loss by a decoded weight, in the weight's order. */
  decoded(id: NodeId, gradient: ArrayLike<number>): void;
  /** Whether the factor of a node learns. */
  wantsFactor(id: NodeId): boolean;
  /** A summand of z·dL/dz for each z of the factor of a node. */
  factorGradient(id: NodeId, inner: ArrayLike<number>): void;
}

/** What a backward pass may need of a node's forward. */
export type Saved = readonly (Tensor | null)[];

/** What a node's forward gives: its output, and what its backward will need. */
export interface Forward<S extends Saved = Saved> {
  readonly output: Tensor;
  readonly saved: S;
}

/** One value for each input of a node, in order; none for sources. */
export type PerInput<N extends AnyNode, T> = N extends { readonly inputs: infer Inputs }
  ? { readonly [Index in keyof Inputs]: T }
  : readonly [];

/** A channel, an index of the last axis, of one of a node's inputs. */
export interface ChannelPlace {
  readonly input: number;
  readonly channel: number;
}

/** How channels pass through a node: what pruning follows. */
export interface ChannelFlow<N extends AnyNode> {
  /**
   * The inputs whose channels become those of the output: none, the first, the last, or all, added to or multiplied with each
   * other, or side by side. Others hold weights or tokens, or are read for statistics alone.
   */
  readonly inputs: "none" | "first" | "last" | "added" | "multiplied" | "side-by-side";
  /** Whether every channel of the output is made of all channels of the input. */
  readonly mixes: boolean;
  /** In how many groups it mixes them: a channel is made of those of its own, and of each group as many have to stay. */
  groups(node: N): number;
  /** The channels that one of the output is made of, where they are not mixed; none: it is zero. */
  sources(node: N, channel: number, sizes: readonly number[]): readonly ChannelPlace[];
  /** Whether it puts zeros around what it reads: a channel that is the same number everywhere no longer is, behind it. */
  padsZeros(node: N): boolean;
  /** Whether a channel of zeros becomes another constant, as where a number is added to each channel. */
  shifts(node: N): boolean;
  /** Whether no channel of what it reads may be cut out, as where their number or their places count. */
  isWhole(node: N): boolean;
}

/**
 * Where values on a grid stand behind a node: `kept`, its values are among those of its one input; `united`, among those
 * of several inputs, each of which may have a grid of its own; `new`, they are others.
 */
export type GridFlow = "kept" | "united" | "new";

/**
 * All that is known of one kind of node. Nodes own their forward and their backward; there is no tape. Whatever else a
 * node makes on the engine is freed when its call returns.
 */
export interface NodeKind<N extends AnyNode, S extends Saved = Saved> {
  /** Output shape without the batch; throws when the inputs do not fit. */
  shape(node: N, inputs: PerInput<N, Shape>): Shape;
  /** Multiply-accumulates for one sample; null where there is no weight: it is no layer. Products of activations count by `productMacs`. */
  readonly macs: ((inputs: readonly Shape[], output: Shape) => number) | null;
  /** Whether its first input is int32; all others are float32. */
  readonly readsIntegers: boolean;
  /** @param bias Where the kind adds one in the same pass: a number per channel, of a bias that alone reads it. */
  forward(node: N, inputs: PerInput<N, Tensor>, pass: Pass, bias?: Tensor): Forward<S>;
  /** Whether `forward` takes a bias. */
  readonly addsBias: boolean;
  /** Gradients of the inputs, in order; null for an input that needs none. */
  backward(
    node: N,
    gradient: Tensor,
    saved: S,
    pass: BackwardPass,
    needs: readonly boolean[],
  ): readonly (Tensor | null)[];
  /** Whether no value of the output is below zero, where that is known of the inputs. */
  nonNegative(node: N, inputs: PerInput<N, boolean>): boolean;
  readonly grid: GridFlow;
  readonly channels: ChannelFlow<N>;
  /** Whether a positive factor of a channel of its input may as well stand on that channel of its output. */
  letsFactorsPass(node: N): boolean;
  /** Channels of its running statistics; absent: it has none. */
  statistics?(node: N, inputs: PerInput<N, Shape>): number;
  /** Copies of its output that may be kept for the way back, beside the output itself. */
  readonly copies: number;
}
