import { at } from "../../core/elements.ts";
import type { Shape } from "../../graph/graph.ts";
import { elementsOf } from "../../graph/shape.ts";
import type { GraphWriter } from "./graph-writer.ts";
import { Unsupported } from "./problems.ts";
import { cutAt, inFileOrder, withOrder } from "./regroup.ts";
import { knownSizes, sizesText } from "./sizes.ts";
import { walk } from "./strided.ts";
import { type Activation, dimsOf, factorSize } from "./value.ts";

/** Nodes of the graph have at most so many axes behind the batch. */
const MAX_AXES = 5;

/** An activation whose node has a certain shape. */
export function shaped(x: Activation, shape: Shape, writer: GraphWriter): Activation {
  if (`${x.shape}` === `${shape}`) return x;
  if (shape.length > MAX_AXES) throw new Unsupported(`it needs [batch, ${shape}], more than ${MAX_AXES} axes`);
  return { ...x, shape, node: writer.reshaped(x.node, shape) };
}

/** An activation whose numbers lie in another order of its factors, all but the batch. */
export function reordered(x: Activation, order: readonly number[], writer: GraphWriter): Activation {
  if (order.every((factor, place) => factor === place + 1)) return x;
  // Factors that stay side by side are one axis of what is moved.
  const runs: number[][] = [];
  for (const factor of order) {
    const run = runs.at(-1);
    if (run?.at(-1) === factor - 1) run.push(factor);
    else runs.push([factor]);
  }
  const before = runs.toSorted((a, b) => at(a, 0) - at(b, 0));
  const sizes = before.map((run) => sizeOf(x, run));
  const own = axesWithin(x.shape, sizes);
  const source = own === null ? shaped(x, sizes, writer) : x;
  const axes = runs.flatMap((run) => (own === null ? [before.indexOf(run)] : at(own, before.indexOf(run))));
  const node = writer.transposed(source.node, axes);
  return { ...x, ...withOrder(x, order), shape: writer.shapeOf(node), node };
}

/** The axes of a shape that make up each of `sizes`, in order; null: one of them reaches over two sizes. */
function axesWithin(shape: Shape, sizes: readonly number[]): readonly (readonly number[])[] | null {
  let axis = 0;
  const groups = sizes.map((size) => {
    const group: number[] = [];
    for (let rest = size; rest > 1 && axis < shape.length; axis++) {
      group.push(axis);
      rest /= at(shape, axis);
    }
    return group;
  });
  while (axis < shape.length && shape[axis] === 1) groups.at(-1)?.push(axis++);
  const fits = groups.every((group, index) => elementsOf(group.map((one) => at(shape, one))) === sizes[index]);
  return fits && axis === shape.length ? groups : null;
}

const sizeOf = (x: Activation, factors: readonly number[]): number =>
  elementsOf(knownSizes(factors.map((factor) => factorSize(x, factor))));

/** An activation whose numbers lie in the order of the file's axes. */
export function inOrder(x: Activation, writer: GraphWriter): Activation {
  const order = x.axes.flat();
  if (order[0] !== 0) throw new Unsupported(`it reads [${shapeText(x)}], whose first axis is not the batch`);
  const moved = reordered(x, order.slice(1), writer);
  return { ...moved, ...inFileOrder(dimsOf(moved)) };
}

/** An activation some of whose axes of the file are the last one of its node. */
export interface Trailing {
  readonly value: Activation;
  /** How many numbers stand along them. */
  readonly size: number;
  /** For each place on the node's last axis, which of the file's it is; null: the same. */
  readonly order: Int32Array | null;
}

/** Puts axes of the file last, in whatever order costs nothing: who reads them has numbers of its own to put in order. */
export function trailing(x: Activation, fileAxes: readonly number[], writer: GraphWriter): Trailing {
  const wanted = fileAxes.flatMap((axis) => at(x.axes, axis));
  if (wanted.includes(0)) throw new Unsupported(`it works along the batch of [${shapeText(x)}]`);
  const others = x.factors.map((_, index) => index + 1).filter((factor) => !wanted.includes(factor));
  const isLast = others.every((factor) => wanted.every((last) => factor < last));
  const size = sizeOf(x, wanted);
  const moved = isLast ? x : reordered(x, [...others, ...wanted], writer);
  const leads = knownSizes(others.map((factor) => factorSize(x, factor)));
  const value = moved.shape.at(-1) === size ? moved : shaped(moved, [...leads, size], writer);
  return { value, size, order: isLast ? orderOf(x, wanted, writer) : null };
}

/** For each place among numbers that lie in the order of their factors, which it is where `wanted` is their order. */
function orderOf(x: Activation, wanted: readonly number[], { made }: GraphWriter): Int32Array | null {
  const lying = wanted.toSorted((a, b) => a - b);
  if (`${lying}` === `${wanted}`) return null;
  const stride = new Map(wanted.map((factor, place) => [factor, sizeOf(x, wanted.slice(place + 1))]));
  const view = {
    sizes: lying.map((factor) => sizeOf(x, [factor])),
    strides: lying.map((factor) => stride.get(factor) ?? 0),
    start: 0,
  };
  const order = new Int32Array(sizeOf(x, wanted));
  made.take(order.length);
  walk(view, (from, to) => {
    order[to] = from;
  });
  return order;
}

/** An image of the graph. */
export interface Image {
  /** Its node gives [height, width, channels]; or [channels], where it is one pixel. */
  readonly value: Activation;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The file's axes of rows, columns and channels behind the batch. */
export type ImageAxes = readonly [rows: number, columns: number, channels: number];
export const channelsFirst: ImageAxes = [2, 3, 1];
export const channelsLast: ImageAxes = [1, 2, 3];

/** The rows among the axes of [batch, channels, height, width]. */
const ROWS = 2;

/** A line, [batch, channels, length], as an image of one row. */
export const asImage = (x: Activation): Activation => ({ ...x, axes: x.axes.toSpliced(ROWS, 0, []) });

/** An image of one row as a line. */
export const asLine = (x: Activation): Activation => ({ ...x, axes: x.axes.toSpliced(ROWS, 1) });

/** @param axes Of [batch, channels, height, width], if left out. */
export function imageOf(x: Activation, writer: GraphWriter, axes: ImageAxes = channelsFirst): Image {
  if (x.axes.length !== 4 || `${x.axes[0]}` !== "0") {
    throw new Unsupported(`it reads [${shapeText(x)}], expected images of [batch, channels, height, width]`);
  }
  const groups = axes.map((axis) => at(x.axes, axis));
  const sizes = groups.map((group) => sizeOf(x, group));
  const [height, width, channels] = [at(sizes, 0), at(sizes, 1), at(sizes, 2)];
  const moved = reordered(x, groups.flat(), writer);
  const isPixel = height * width === 1 && moved.shape.length === 1;
  const value = isPixel || moved.padding !== null ? moved : shaped(moved, sizes, writer);
  return { value, height, width, channels };
}

/** Whether an image's numbers lie in this order of its axes. */
export const liesAs = (x: Activation, axes: ImageAxes): boolean =>
  axes.flatMap((axis) => at(x.axes, axis)).every((factor, place) => factor === place + 1);

/** An activation of images that a node of the graph gives: [height, width, channels]. */
export const imageValue = (x: Activation, node: Activation["node"], shape: Shape, axes: ImageAxes): Activation => {
  const lying: number[][] = [[0]];
  const factors: number[] = [];
  for (const [place, axis] of axes.entries()) {
    const size = at(shape, place);
    lying[axis] = size === 1 ? [] : [factors.length + 1];
    if (size !== 1) factors.push(size);
  }
  return { ...x, node, shape, factors, axes: lying };
};

/** The same with its factors cut where an axis of its node ends, or else with a node whose axes they are. */
export function refined(x: Activation, writer: GraphWriter): Activation {
  const cut = cutAt(x, x.shape);
  return cut === null ? shaped(x, x.factors, writer) : { ...x, ...cut };
}

/** The file's shape in a message. */
export const shapeText = (x: Pick<Activation, "factors" | "axes">): string => sizesText(dimsOf(x));
