import { isOnes, type Pair } from "../../../core/pair.ts";
import { isPadded } from "../../../engine/op-options.ts";
import type { NodeId, Padding } from "../../../graph/graph.ts";
import type { AveragePoolNode } from "../../../kinds/average-pool.ts";
import type { MaxPoolNode } from "../../../kinds/max-pool.ts";
import { channelsFirst, type Image, imageValue } from "../arrangement.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedShape } from "../value.ts";
import { addPadding, dilationsOf, kernelOf, readWindows, type Sliding, type Windows } from "../window-attributes.ts";
import { globalPool } from "./reduction-operators.ts";

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
  if (isWhole && !isPadded({ padding })) return globalPool(node, translation, image, "mean");
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
  if (!countsPadding || !isPadded({ padding })) return pool(image.value.node, addPadding(padding, overhang));
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
