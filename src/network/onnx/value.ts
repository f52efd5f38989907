import type { NodeId, Padding } from "../../graph/graph.ts";
import { Damaged, Unsupported } from "./problems.ts";

export type Axis = "height" | "width" | "channels";

/** What may stand behind the logits of a network, and is left out. */
export type Ending = "softmax" | "log-softmax";

/**
 * What a node of the graph gives, and how the file sees it. The graph's images are [height, width, channels], whatever
 * the file's are: moving axes around costs nothing, it is only written down here.
 */
export interface Activation {
  readonly kind: "activation";
  readonly node: NodeId;
  readonly size: Readonly<Record<Axis, number>>;
  /** Whether the node gives [channels] and no image; height and width are 1 then. */
  readonly vector: boolean;
  /** The file's axes behind the batch; an axis that is left out has size 1. */
  readonly axes: readonly Axis[];
  /** Of a flattened image: for each of the graph's units, which of the file's it is. Null: the same. */
  readonly order: Int32Array | null;
  /** Zeros that a Pad puts around it, left to the convolution that reads it; `size` counts them. */
  readonly padding: Padding | null;
  /** The operator that made probabilities of it, which only the end of the network may be. */
  readonly ending: Ending | null;
}

export interface Floats {
  readonly kind: "floats";
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Integers, as shapes and axes are made of; the batch's size is not known. */
export interface Integers {
  readonly kind: "integers";
  readonly dims: readonly number[];
  readonly values: readonly (number | "batch")[];
}

export type Constant = Floats | Integers;

export type Value = Activation | Constant;

/** @throws Unsupported where the size of the batch is among them. */
export function numbersOf({ values }: Constant): ArrayLike<number> & Iterable<number> {
  if (values instanceof Float32Array) return values;
  return values.map((value) => {
    if (value === "batch") throw new Unsupported("it computes with the size of the batch");
    return value;
  });
}

/** PyTorch's order of an image's axes. */
export const channelsFirst: readonly Axis[] = ["channels", "height", "width"];

/** The file's shape behind the batch. */
export const dimsOf = ({ axes, size }: Pick<Activation, "axes" | "size">): number[] => axes.map((axis) => size[axis]);

export const elementsIn = ({ height, width, channels }: Activation["size"]): number => height * width * channels;

/** No weight of a network that is to be trained is larger: float32 could not sum up its squares. */
const LARGEST = 1e15;

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
export function checkedSize(size: Activation["size"]): Activation["size"] {
  const { height, width, channels } = size;
  for (const value of [height, width, channels]) {
    if (!Number.isInteger(value) || value < 1)
      throw new Damaged(`gives an empty tensor (${channels} x ${height} x ${width})`);
  }
  if (elementsIn(size) > MAX_ELEMENTS) {
    throw new Damaged(`gives ${channels} x ${height} x ${width} numbers for one image, more than ${MAX_ELEMENTS}`);
  }
  return size;
}

/**
 * Where the graph's units of a flattened image (rows, columns, channels; channels fastest) stand in the file's, which
 * flattens `axes`. Null: in the same place.
 */
export function flattenedOrder({ axes, size }: Pick<Activation, "axes" | "size">): Int32Array | null {
  const steps = { height: 0, width: 0, channels: 0 };
  let step = 1;
  for (const axis of axes.toReversed()) {
    steps[axis] = step;
    step *= size[axis];
  }
  const order = new Int32Array(elementsIn(size));
  let identical = true;
  let unit = 0;
  for (let row = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++) {
      for (let channel = 0; channel < size.channels; channel++, unit++) {
        order[unit] = row * steps.height + column * steps.width + channel * steps.channels;
        if (order[unit] !== unit) identical = false;
      }
    }
  }
  return identical ? null : order;
}
