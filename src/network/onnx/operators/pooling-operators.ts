import { at } from "../../../core/elements.ts";
import { isOnes, type Pair } from "../../../core/pair.ts";
import type { NodeId, Padding } from "../../../graph/graph.ts";
import { elementsOf } from "../../../graph/shape.ts";
import type { AveragePoolNode } from "../../../kinds/average-pool.ts";
import type { MaxPoolNode } from "../../../kinds/max-pool.ts";
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
import { Damaged, Unsupported } from "../problems.ts";
import { withFactor } from "../regroup.ts";
import { knownSizes } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, checkedShape } from "../value.ts";
import {
  addPadding,
  dilationsOf,
  isPadded,
  kernelOf,
  readWindows,
  type Sliding,
  type Windows,
} from "../window-attributes.ts";
import { timesNumber } from "./constant-operands.ts";

export const maxPool: Operator = (node, translation) => {
  const windows = readWindows(node);
  const size = windowOf(node);
  const image = requireImage(translation.image(node));
  const { strides, padding, overhang, size: sides } = slide(windows, image, size);
  return pooled(image, sides, translation, {
    ...{ kind: "max-pool", id: translation.writer.name(nodeName(node)), inputs: [image.value.node] },
    ...{ size, strides, padding: addPadding(padding, overhang) },
  });
};

export const averagePool: Operator = (node, translation) => {
  const countsPadding = node.attributes.int("count_include_pad", 0) !== 0;
  const windows = readWindows(node);
  const size = windowOf(node);
  const image = translation.image(node);
  const { strides, padding, overhang, size: sides } = slide(windows, image, size);
  const isWhole = size[0] === image.height && size[1] === image.width;
  if (isWhole && !isPadded(padding)) return globalPool(node, translation, image);
  requireImage(image);
  // The mean of one element is that element: on a grid it stays on it, which nothing need quantize again.
  if (isOnes(size) && isOnes(strides)) return image.value;
  const id = translation.writer.name(nodeName(node));
  if (isOnes(size)) {
    const source = image.value.node;
    return pooled(image, sides, translation, { kind: "max-pool", id, inputs: [source], size, strides, padding });
  }
  const pool = (input: NodeId, padding: Padding) =>
    pooled(image, sides, translation, { kind: "average-pool", id, inputs: [input], size, strides, padding });
  if (!countsPadding || !isPadded(padding)) return pool(image.value.node, addPadding(padding, overhang));
  // What ceil_mode adds behind the padding does not count.
  return pool(translation.writer.padded(image.value.node, padding), overhang);
};

/** An image with its windows pooled. */
function pooled(
  { value, channels }: Image,
  { height, width }: Sliding["size"],
  { writer }: Translation,
  node: MaxPoolNode | AveragePoolNode,
): Activation {
  const shape = checkedShape([height, width, channels]);
  return imageValue(value, writer.push(node), shape, channelsFirst);
}

export const globalAveragePool: Operator = (node, translation) =>
  globalPool(node, translation, translation.image(node));

/** The mean over axes: of an image's rows and columns, or of any others but the batch. */
export const reduceMean = (node: OnnxNode, translation: Translation): Activation => {
  const keeps = node.attributes.int("keepdims", 1) !== 0;
  const axes = translation.axes(node, 1);
  const x = translation.activation(node);
  const rank = x.axes.length;
  const reduced = (axes ?? []).map((axis) => axisOf(axis, rank)).toSorted((a, b) => a - b);
  const order =
    rank !== 4 ? null : `${reduced}` === "2,3" ? channelsFirst : `${reduced}` === "1,2" ? channelsLast : null;
  const mean =
    order === null
      ? meanOver(node, translation, x, reduced)
      : globalPool(node, translation, imageOf(x, translation.writer, order), order);
  return keeps ? mean : { ...mean, axes: mean.axes.filter((_, axis) => !reduced.includes(axis)) };
};

/** The sum over axes: so many times their mean. */
export const reduceSum: Operator = (node, translation) => {
  const axes = translation.axes(node, 1);
  const x = translation.activation(node);
  const sizes = (axes ?? []).map((axis) => axisSize(x, axisOf(axis, x.axes.length)));
  const mean = reduceMean(node, translation);
  return timesNumber(node, translation, mean, elementsOf(knownSizes(sizes)));
};

/** The numbers of some axes lie as rows, all others as channels of one column. */
function meanOver(node: OnnxNode, { writer }: Translation, x: Activation, reduced: readonly number[]): Activation {
  const factors = reduced.flatMap((axis) => at(x.axes, axis));
  if (reduced.length === 0 || factors.includes(0))
    throw new Unsupported(`it takes the mean over the batch of [${shapeText(x)}]`);
  const others = x.factors.map((_, index) => index + 1).filter((factor) => !factors.includes(factor));
  const sizeOf = (group: readonly number[]) => elementsOf(group.map((factor) => at(x.factors, factor - 1)));
  const moved = reordered(x, [...factors.toSorted((a, b) => a - b), ...others], writer);
  const image = shaped(moved, [sizeOf(factors), 1, sizeOf(others)], writer);
  const id = writer.push({ kind: "global-average-pool", id: writer.name(nodeName(node)), inputs: [image.node] });
  const grouping = reduced.reduce((value, axis) => withFactor(value, axis, 0, 1), { factors: x.factors, axes: x.axes });
  return { ...x, ...grouping, node: id, shape: writer.shapeOf(id) };
}

function globalPool(node: OnnxNode, { writer }: Translation, image: Image, axes = channelsFirst): Activation {
  const { value, height, width, channels } = image;
  const lying = imageValue(value, value.node, [1, 1, channels], axes);
  if (value.shape.length === 1) return { ...lying, shape: value.shape };
  // Of one row and column, the mean is the image itself.
  const isOne = height * width === 1;
  const kind = isOne ? "flatten" : "global-average-pool";
  const id = writer.push({ kind, id: writer.name(nodeName(node)), inputs: [value.node] });
  return { ...lying, node: id, shape: [channels] };
}

/** @throws Unsupported where there is something between its taps. */
function windowOf(node: OnnxNode): Pair {
  const kernel = kernelOf(node);
  if (kernel === null) throw new Damaged("it has no kernel_shape");
  const dilations = dilationsOf(node);
  if (dilations.some((dilation, axis) => dilation !== 1 && kernel[axis] !== 1)) {
    throw new Unsupported(`its dilations are ${dilations.join(", ")}: pooling takes neighbouring pixels alone`);
  }
  return kernel;
}

function requireImage(image: Image): Image {
  if (image.value.shape.length === 1) throw new Unsupported("it pools what is pooled globally already");
  return image;
}

function slide(windows: Windows, image: Image, kernel: Pair): Sliding {
  const sliding = windows(image, kernel);
  const { padding } = sliding;
  const [rows, columns] = kernel;
  if (padding.top >= rows || padding.bottom >= rows || padding.left >= columns || padding.right >= columns) {
    throw new Damaged(`it pads a whole window of ${rows} x ${columns}`);
  }
  return sliding;
}
