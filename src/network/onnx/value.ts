import { at } from "../../core/elements.ts";
import type { NodeId, Padding, Shape } from "../../graph/graph.ts";
import { elementsOf } from "../../graph/shape.ts";
import { Damaged } from "./problems.ts";
import { knownSizes, oneBatch, productOf, type Size } from "./sizes.ts";

/** What may stand behind the logits of a network, and is left out. */
export type Ending = "softmax" | "log-softmax";

/**
 * How the file sees numbers that lie one behind the other. They are counted by factors, the batch slowest, and each axis
 * of the file is an ordered product of these: moving axes around, joining and splitting them costs nothing, it is only
 * written down here. An image of the graph's [height, width, channels] in a file that has channels first is
 * [[0], [3], [1], [2]], flattened [[0], [3, 1, 2]].
 */
export interface Grouping {
  /** Sizes of the factors behind the batch, in the order in which the numbers lie; all above 1. */
  readonly factors: readonly number[];
  /** Of each axis of the file, its factors: 0 is the batch, i is the i-th behind it. Of size 1: none. */
  readonly axes: readonly (readonly number[])[];
}

/** What a node of the graph gives, and how the file sees it. */
export interface Activation extends Grouping {
  readonly kind: "activation";
  readonly node: NodeId;
  /** Of what the node gives, without the batch. */
  readonly shape: Shape;
  /** Zeros that a Pad puts around an image, left to the convolution that reads it; `factors` count them, `shape` does not. */
  readonly padding: Padding | null;
  /** The operator that makes probabilities of it, left out where it is the end of the network. */
  readonly ending: Ending | null;
  /** Whether they are integers to the file: an input of them, not yet cast to float32. */
  readonly integers: boolean;
}

/** What constants have in common. */
interface Given {
  /** Whether its first axis is the batch's; one sample stands for all then, as they are alike but for their place in it. */
  readonly samples?: boolean;
}

export interface Floats extends Given {
  readonly kind: "floats";
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Integers, as shapes and axes are made of. */
export interface Integers extends Given {
  readonly kind: "integers";
  readonly dims: readonly number[];
  readonly values: readonly Size[];
}

export type Constant = Floats | Integers;

export type Value = Activation | Constant;

/** @throws Unsupported where the size of the batch is among them. */
export const numbersOf = ({ values }: Constant): ArrayLike<number> & Iterable<number> =>
  values instanceof Float32Array ? values : knownSizes(values);

/** The size of a factor: 0 is the batch. */
export const factorSize = ({ factors }: Pick<Grouping, "factors">, factor: number): Size =>
  factor === 0 ? oneBatch : at(factors, factor - 1);

/** The size of an axis of the file. */
export const axisSize = (value: Grouping, axis: number): Size =>
  productOf(at(value.axes, axis).map((factor) => factorSize(value, factor)));

/** The file's shape of what a node gives. */
export const dimsOf = (value: Grouping): readonly Size[] => value.axes.map((_, axis) => axisSize(value, axis));

/** The file's shape of a constant. */
export const constantDims = ({ dims, samples = false }: Constant): readonly Size[] =>
  samples ? [oneBatch, ...dims.slice(1)] : dims;

/** No weight of a network that is to be trained is larger: float32 could not sum up its squares. */
export const LARGEST = 1e15;

/** @throws Damaged where a number cannot be trained with. */
export function requireUsable(what: string, values: Float32Array): void {
  const index = values.findIndex((value) => !(Math.abs(value) <= LARGEST));
  if (index < 0) return;
  throw new Damaged(
    `${what} holds ${values[index]} (number ${index} of ${values.length}), expected numbers of at most ${LARGEST} in size`,
  );
}

/** No activation of a network that is to be trained is larger, for one image. */
const MAX_ELEMENTS = 2 ** 27;

/** @throws Damaged where a size is no size. */
export function checkedShape(shape: Shape): Shape {
  if (shape.some((size) => !Number.isInteger(size) || size < 1))
    throw new Damaged(`gives an empty tensor (${shape.join(" x ")})`);
  if (elementsOf(shape) > MAX_ELEMENTS)
    throw new Damaged(`gives ${shape.join(" x ")} numbers for one image, more than ${MAX_ELEMENTS}`);
  return shape;
}
