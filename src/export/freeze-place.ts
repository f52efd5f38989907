import type { NodeId, Shape } from "../graph/graph.ts";
import type { RunningStatistics } from "../graph/node-kind.ts";
import type { Layer } from "../network/layers.ts";
import type { Quantizer } from "../quantizers/abstract-quantizer.ts";
import type { FrozenNode } from "./frozen-network.ts";

/** One activation: which channels are left, and the number that each of the others is at every position. */
export interface Activation {
  readonly kept: readonly number[];
  /** By channel; only those that are cut out count. */
  readonly constants: Float64Array;
  /** Without the batch, before channels are cut out. */
  readonly shape: Shape;
  /** The frozen node that gives it. */
  readonly node: string;
}

/** What a trained network holds beside its graph. */
export interface TrainedValues {
  /** Empty for a network in float32. */
  readonly quantizers: ReadonlyMap<NodeId, Quantizer>;
  /** Values of the trained tensors. */
  readonly parameters: ReadonlyMap<NodeId, Float32Array>;
  /** Of coded embeddings, [vocabulary, groups]; absent: there are none. */
  readonly codes?: ReadonlyMap<NodeId, Int32Array>;
  /** Running statistics by batch normalization. */
  readonly statistics: ReadonlyMap<NodeId, RunningStatistics>;
}

/** Where a node stands in the network that is frozen. */
export interface FreezePlace {
  /** The activations that it reads, in order; weights are none. */
  readonly sources: readonly Activation[];
  /** Of its output, without the batch, before channels are cut out. */
  readonly shape: Shape;
  /** The channels of its output that stay. */
  readonly kept: readonly number[];
  /** What its frozen node starts from: it reads all activations, and gives the channels that stay. */
  readonly base: Pick<FrozenNode, "id" | "inputs" | "outputShape">;
  readonly layers: ReadonlyMap<NodeId, Layer>;
  /** Of all nodes, without the batch. */
  readonly shapes: ReadonlyMap<NodeId, Shape>;
  readonly trained: TrainedValues;
}

/** What a node becomes: the frozen nodes that it adds, in order, and the activation that it gives. */
export interface Frozen {
  readonly nodes: readonly FrozenNode[];
  readonly activation: Activation;
}
