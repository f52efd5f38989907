/** [batch is never part of a shape here] height, width, channels for images; units for vectors. */
export type Shape = readonly number[];

/** Rows and columns of zeros added around an image. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export type NodeId = string;

interface Base {
  /** Unique in the network; the field's dotted names: `conv1`, `conv1.weight`, `conv1.weight.quantizer`. */
  readonly id: NodeId;
}

/** The images, normalised: [height, width, channels]. */
export interface InputNode extends Base {
  readonly kind: "input";
}

/** First values of a trained tensor; they are replaced where a network comes with its own. */
export type Initial =
  /** Uniform in ±bound; 1/sqrt(inputs per output) are PyTorch's defaults. */
  { readonly kind: "uniform"; readonly bound: number } | { readonly kind: "constant"; readonly value: number };

/**
 * A trained tensor; output channels are the last axis. Weights: convolution [kernel height, kernel width, in, out],
 * depthwise convolution [kernel height, kernel width, 1, channels], dense [in, out]. One number per channel: a layer's
 * bias, a batch normalization's scale (gamma) and shift (beta).
 */
export interface ParameterNode extends Base {
  readonly kind: "parameter";
  readonly role: "weight" | "bias" | "scale" | "shift";
  readonly shape: Shape;
  readonly initial: Initial;
}

export interface Conv2dNode extends Base {
  readonly kind: "conv2d";
  /** Image and weight. */
  readonly inputs: readonly [NodeId, NodeId];
  readonly stride: number;
  readonly padding: Padding;
}

/** One kernel per channel. */
export interface DepthwiseConv2dNode extends Base {
  readonly kind: "depthwise-conv2d";
  /** Image and weight. */
  readonly inputs: readonly [NodeId, NodeId];
  readonly stride: number;
  readonly padding: Padding;
}

/** [units in] × [units in, units out]. */
export interface DenseNode extends Base {
  readonly kind: "dense";
  readonly inputs: readonly [NodeId, NodeId];
}

/** A layer with a weight: what is quantized, pruned and counted. */
export type LayerNode = Conv2dNode | DepthwiseConv2dNode | DenseNode;

/** What a layer does, without what it reads. */
export type LayerGeometry =
  | Pick<Conv2dNode, "kind" | "stride" | "padding">
  | Pick<DepthwiseConv2dNode, "kind" | "stride" | "padding">
  | Pick<DenseNode, "kind">;

/** Adds one number per channel. */
export interface BiasNode extends Base {
  readonly kind: "bias";
  readonly inputs: readonly [NodeId, NodeId];
  /**
   * The quantizer whose pruning gates also multiply the bias, so that a pruned channel is zero; null: it stays the
   * constant that its bias makes of it (ARCHITECTURE.md, "Pruning").
   */
  readonly gate: NodeId | null;
}

/**
 * Batch normalization: (x - mean)/sqrt(variance + epsilon)·scale + shift, with the batch's statistics in training and
 * the running ones otherwise.
 */
export interface BatchNormNode extends Base {
  readonly kind: "batch-norm";
  /** x, scale, shift. */
  readonly inputs: readonly [NodeId, NodeId, NodeId];
  readonly epsilon: number;
  /** Whether it is a constant factor and shift in training too, of the running statistics: for fine-tuning. */
  readonly frozen: boolean;
}

/** A weight times scale/sqrt(running variance + epsilon) of the batch normalization `norm`, per output channel. */
export interface FoldNode extends Base {
  readonly kind: "fold";
  /** Weight and scale. */
  readonly inputs: readonly [NodeId, NodeId];
  /** The batch normalization whose statistics are folded. */
  readonly norm: NodeId;
  readonly epsilon: number;
}

/**
 * Where training takes the statistics of a folded batch normalization from: a second convolution, with the
 * unquantized, unfolded weight.
 */
export type Statistics =
  /** All of its output: the authors' form. */
  | "every-position"
  /** Every second row and column of its output, for a quarter of its cost; all of a dense layer's and of small ones. */
  | "every-second-position"
  /** The running statistics, which then no longer move: for fine-tuning. */
  | "running";

/**
 * What is left of a batch normalization behind a layer whose weight is folded (ARCHITECTURE.md, "Batch
 * normalization"). The pruning gates of `gate` multiply its result, so that a pruned channel is zero.
 */
export interface FoldedNormNode extends Base {
  readonly kind: "folded-norm";
  /** The layer's output, scale, shift; where statistics are those of the batch also the layer's input and its unfolded weight. */
  readonly inputs: readonly [NodeId, NodeId, NodeId] | readonly [NodeId, NodeId, NodeId, image: NodeId, weight: NodeId];
  readonly norm: NodeId;
  readonly epsilon: number;
  readonly statistics: Statistics;
  /** How a second convolution is done. */
  readonly geometry: LayerGeometry;
  readonly gate: NodeId | null;
}

/** The larger of x and 0, at most `limit`. */
export interface ReluNode extends Base {
  readonly kind: "relu";
  readonly inputs: readonly [NodeId];
  /** 6 for ReLU6; null: no limit. */
  readonly limit: number | null;
}

/** Largest of each window; padding never wins. */
export interface MaxPoolNode extends Base {
  readonly kind: "max-pool";
  readonly inputs: readonly [NodeId];
  readonly size: number;
  readonly stride: number;
  readonly padding: Padding;
}

/** Mean of each window. */
export interface AveragePoolNode extends Base {
  readonly kind: "average-pool";
  readonly inputs: readonly [NodeId];
  readonly size: number;
  readonly stride: number;
}

/** [height, width, channels] to [channels]: the mean of each channel. */
export interface GlobalAveragePoolNode extends Base {
  readonly kind: "global-average-pool";
  readonly inputs: readonly [NodeId];
}

/** Elementwise sum of two tensors of one shape: a residual connection. */
export interface AddNode extends Base {
  readonly kind: "add";
  readonly inputs: readonly [NodeId, NodeId];
}

/** Adds rows, columns and channels of zeros. */
export interface PadNode extends Base {
  readonly kind: "pad";
  readonly inputs: readonly [NodeId];
  readonly padding: Padding;
  /** Channels of zeros before and after. */
  readonly channels: readonly [before: number, after: number];
}

/** [height, width, channels] to [height·width·channels], channels fastest. */
export interface FlattenNode extends Base {
  readonly kind: "flatten";
  readonly inputs: readonly [NodeId];
}

/** A gated quantizer with a learned range on a weight or an activation (ARCHITECTURE.md, "The method" 1). */
export interface QuantizerNode extends Base {
  readonly kind: "quantizer";
  readonly inputs: readonly [NodeId];
  readonly role: "weight" | "activation";
  readonly signed: boolean;
  /**
   * The input is what goes INTO a ReLU: an unsigned grid clips at 0, which is the ReLU, so the ReLU node is left out
   * and its gradient is part of the quantizer's mask.
   */
  readonly rectifies: boolean;
  /** The range never grows past this: 6 behind ReLU6, whose limit then is the grid's; null: no limit. */
  readonly limit: number | null;
  /** One pruning gate z_2 per output channel (the last axis). */
  readonly prunes: boolean;
  /** Where z_2 multiplies: this tensor, or what the folded batch normalization behind the layer makes of it. */
  readonly gated: "weight" | "output";
}

export type Node =
  | InputNode
  | ParameterNode
  | LayerNode
  | BiasNode
  | BatchNormNode
  | FoldNode
  | FoldedNormNode
  | ReluNode
  | MaxPoolNode
  | AveragePoolNode
  | GlobalAveragePoolNode
  | AddNode
  | PadNode
  | FlattenNode
  | QuantizerNode;

/** A network as training, MACs, bit operations, pruning and export walk it: immutable, in topological order. */
export interface Network {
  readonly name: string;
  /** [height, width, channels]. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly nodes: readonly Node[];
  /** The node whose output are the logits. */
  readonly output: NodeId;
}

/** The nodes that `node` reads, in order. */
export const inputsOf = (node: Node): readonly NodeId[] => ("inputs" in node ? node.inputs : []);

export const isLayer = (node: Node): node is LayerNode =>
  node.kind === "conv2d" || node.kind === "depthwise-conv2d" || node.kind === "dense";

/** The nodes that a node depends on, itself included. */
export function ancestorsOf(network: Network, id: NodeId): ReadonlySet<NodeId> {
  const needed = new Set([id]);
  for (const node of network.nodes.toReversed()) {
    if (needed.has(node.id)) for (const input of inputsOf(node)) needed.add(input);
  }
  return needed;
}

/** Nodes by id. */
export const nodesById = (network: Network): ReadonlyMap<NodeId, Node> =>
  new Map(network.nodes.map((node) => [node.id, node]));
