import { at } from "../../../core/elements.ts";
import { tuple } from "../../../core/tuple.ts";
import type { NodeId } from "../../../graph/graph.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { noPadding } from "../../../kinds/windows.ts";
import {
  channelsFirst,
  channelsLast,
  type Image,
  imageOf,
  imageValue,
  reordered,
  shaped,
  shapeText,
} from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Unsupported } from "../problems.ts";
import { withFactor } from "../regroup.ts";
import { knownSizes } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize } from "../value.ts";
import { timesNumber } from "./constant-operands.ts";
import { bothOf, nonlinearOf } from "./element-nodes.ts";

/** What is taken of many numbers. */
type Reduction = "mean" | "largest";

export const globalAveragePool: Operator = (node, translation) =>
  globalPool(node, translation, translation.image(node), "mean");

export const globalMaxPool: Operator = (node, translation) =>
  globalPool(node, translation, translation.image(node), "largest");

export const reduceMean: Operator = (node, translation) =>
  reduced(node, translation, translation.activation(node), "mean");

export const reduceMax: Operator = (node, translation) =>
  reduced(node, translation, translation.activation(node), "largest");

/** The sum over axes: so many times their mean. */
export const reduceSum: Operator = (node, translation) => sum(node, translation, translation.activation(node));

/** The root of the sum of squares. */
export const reduceL2: Operator = (node, translation) => {
  const x = translation.activation(node);
  const squares = bothOf(node, translation, [x, x], "multiply");
  return nonlinearOf(node, translation, sum(node, translation, squares), { kind: "sqrt" });
};

function sum(node: OnnxNode, translation: Translation, x: Activation): Activation {
  const sizes = axesOf(node, translation, x).map((axis) => axisSize(x, axis));
  return timesNumber(node, translation, reduced(node, translation, x, "mean"), elementsOf(knownSizes(sizes)));
}

/** The axes that are reduced, as an attribute or an input, in order. */
const axesOf = (node: OnnxNode, translation: Translation, x: Activation): readonly number[] =>
  (translation.axes(node, 1) ?? []).map((axis) => axisOf(axis, x.axes.length)).toSorted((a, b) => a - b);

function reduced(node: OnnxNode, translation: Translation, x: Activation, reduction: Reduction): Activation {
  const keeps = node.attributes.int("keepdims", 1) !== 0;
  const axes = axesOf(node, translation, x);
  const result = reducedOver(node, translation, x, { axes, reduction });
  return keeps ? result : { ...result, axes: result.axes.filter((_, axis) => !axes.includes(axis)) };
}

/** The mean or the largest over axes, which keep size 1: of an image's rows and columns, or of any others but the batch. */
export function reducedOver(
  node: OnnxNode,
  translation: Translation,
  x: Activation,
  { axes, reduction }: { readonly axes: readonly number[]; readonly reduction: Reduction },
): Activation {
  const isImage = x.axes.length === 4;
  const order = !isImage ? null : `${axes}` === "2,3" ? channelsFirst : `${axes}` === "1,2" ? channelsLast : null;
  return order === null
    ? overRows(node, translation, x, { axes, reduction })
    : globalPool(node, translation, imageOf(x, translation.writer, order), reduction, order);
}

/** The numbers of some axes lie as rows, all others as channels of one column. */
function overRows(
  node: OnnxNode,
  { writer }: Translation,
  x: Activation,
  { axes, reduction }: { readonly axes: readonly number[]; readonly reduction: Reduction },
): Activation {
  const factors = axes.flatMap((axis) => at(x.axes, axis));
  if (axes.length === 0 || factors.includes(0))
    throw new Unsupported(`it takes the ${reduction} over the batch of [${shapeText(x)}]`);
  const others = x.factors.map((_, index) => index + 1).filter((factor) => !factors.includes(factor));
  const sizeOf = (group: readonly number[]) => elementsOf(group.map((factor) => at(x.factors, factor - 1)));
  const moved = reordered(x, [...factors.toSorted((a, b) => a - b), ...others], writer);
  const image = shaped(moved, [sizeOf(factors), 1, sizeOf(others)], writer);
  const id = channelsOf(node, { writer }, image.node, reduction);
  const grouping = axes.reduce((value, axis) => withFactor(value, axis, 0, 1), { factors: x.factors, axes: x.axes });
  return { ...x, ...grouping, node: id, shape: writer.shapeOf(id) };
}

export function globalPool(
  node: OnnxNode,
  { writer }: Pick<Translation, "writer">,
  image: Image,
  reduction: Reduction,
  axes = channelsFirst,
): Activation {
  const { value, height, width, channels } = image;
  const lying = imageValue(value, value.node, [1, 1, channels], axes);
  if (value.shape.length === 1) return { ...lying, shape: value.shape };
  // Of one row and column, it is the image itself.
  const id =
    height * width === 1
      ? writer.push({ kind: "flatten", id: writer.name(nodeName(node)), inputs: [value.node] })
      : channelsOf(node, { writer }, value.node, reduction);
  return { ...lying, node: id, shape: [channels] };
}

/** Of an image [rows, columns, channels] what is taken of each channel, [channels]. */
function channelsOf(
  node: OnnxNode,
  { writer }: Pick<Translation, "writer">,
  image: NodeId,
  reduction: Reduction,
): NodeId {
  const id = writer.name(nodeName(node));
  if (reduction === "mean") return writer.push({ kind: "global-average-pool", id, inputs: [image] });
  const [rows, columns, channels] = tuple(writer.shapeOf(image), 3);
  const size = [rows, columns] as const;
  const pool = { kind: "max-pool", id, inputs: [image], size, strides: size, padding: noPadding } as const;
  return writer.reshaped(writer.push(pool), [channels]);
}
