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

/** A trained tensor. Convolution weights: [kernel height, kernel width, in, out]; dense weights: [in, out]. */
export interface ParameterNode extends Base {
  readonly kind: "parameter";
  readonly role: "weight" | "bias";
  readonly shape: Shape;
  /** Inputs per output unit; the first values are uniform in ±1/sqrt(fanIn), as PyTorch's defaults. */
  readonly fanIn: number;
}

export interface Conv2dNode extends Base {
  readonly kind: "conv2d";
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

/** Adds one number per channel. */
export interface BiasNode extends Base {
  readonly kind: "bias";
  readonly inputs: readonly [NodeId, NodeId];
}

export interface ReluNode extends Base {
  readonly kind: "relu";
  readonly inputs: readonly [NodeId];
}

export interface MaxPoolNode extends Base {
  readonly kind: "max-pool";
  readonly inputs: readonly [NodeId];
  readonly size: number;
  readonly stride: number;
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
  /** One pruning gate z_2 per output channel (the last axis). */
  readonly prunes: boolean;
}

export type Node =
  | InputNode
  | ParameterNode
  | Conv2dNode
  | DenseNode
  | BiasNode
  | ReluNode
  | MaxPoolNode
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
