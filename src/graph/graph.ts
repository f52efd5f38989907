import type { DataType } from "../engine/ops.ts";

/** Sizes of a tensor's axes, without the batch, 0 to 5 of them: height, width, channels for images; units for vectors. */
export type Shape = readonly number[];

/** Element types of what goes into a network; everything inside is float32. */
export type InputType = Extract<DataType, "float32" | "int32">;

/** Rows and columns of zeros added around an image. */
export interface Padding {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Unique in a graph; the field's dotted names: `conv1`, `conv1.weight`, `conv1.weight.quantizer`. */
export type NodeId = string;

/** What every node has; sources have no inputs. */
export interface AnyNode {
  readonly kind: string;
  readonly id: NodeId;
  readonly inputs?: readonly NodeId[];
}

/** Nodes in topological order, immutable. */
export interface Graph<N extends AnyNode> {
  readonly name: string;
  readonly nodes: readonly N[];
  /** The nodes whose values are what it computes. */
  readonly outputs: readonly NodeId[];
}
