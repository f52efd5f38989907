import type { Ops, Tensor, WeightedLevel } from "../engine/ops.ts";
import type { BitWidth } from "../quantization/levels.ts";
import type { Node, NodeId, Shape } from "./graph.ts";

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
  /** z_2 per output channel; null when all are 1. */
  readonly channelGates: Float32Array | null;
  /** Whether any z_2 is unsaturated, so that its gradient is needed. */
  readonly wantsChannels: boolean;
}

/** Running statistics of a batch normalization, per channel, on the host. */
export interface RunningStatistics {
  readonly mean: Float32Array;
  /** Unbiased, as PyTorch's. */
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
  /** z_2 of a quantizer as a tensor [channels]; null when all are 1. */
  channelGates(id: NodeId): Tensor | null;
  /** Running statistics of a batch normalization. */
  statistics(norm: NodeId): RunningStatistics;
  /** A batch's statistics, in training; the running ones move towards them. */
  observe(norm: NodeId, batch: RunningStatistics): void;
  /** The images of this batch, normalised; null where none are asked for. */
  readonly images: Tensor | null;
}

/** A pass that hears what quantizers learn. */
export interface BackwardPass extends Pass {
  /** <g, x_q> - <g_x, x> of the tensor, or of each channel that has a range: over xMax it is the range's gradient. */
  range(id: NodeId, inner: ArrayLike<number>): void;
  /** <g, z_2·X_b> for each wanted bit-width. */
  level(id: NodeId, bits: BitWidth, inner: number): void;
  /** A summand of z_2·dL/dz_2 per channel. */
  channels(id: NodeId, inner: ArrayLike<number>): void;
}

/** What a node's forward gives: its output, and what its backward will need. */
export interface Forward {
  readonly output: Tensor;
  readonly saved: readonly (Tensor | null)[];
}

/**
 * What the graph needs to know of one kind of node. Nodes own their forward and their backward; there is no tape.
 * Whatever else a node makes on the engine is freed when its call returns.
 */
export interface NodeKind<N extends Node> {
  /** Output shape without the batch; throws when the inputs do not fit. */
  shape(node: N, inputs: readonly Shape[]): Shape;
  /** Multiply-accumulates for one image; absent where a node has no weights. */
  macs?(node: N, inputs: readonly Shape[], output: Shape): number;
  forward(node: N, inputs: readonly Tensor[], pass: Pass): Forward;
  /** The same with a number per channel added, where engines do that in one pass: for a bias that alone reads it. */
  forwardBiased?(node: N, inputs: readonly Tensor[], bias: Tensor, pass: Pass): Forward;
  /** Gradients of the inputs, in order; null for an input that needs none. */
  backward(
    node: N,
    gradient: Tensor,
    saved: readonly (Tensor | null)[],
    pass: BackwardPass,
    needs: readonly boolean[],
  ): readonly (Tensor | null)[];
}
