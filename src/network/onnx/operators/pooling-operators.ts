import { isOnes, type Pair } from "../../../core/pair.ts";
import type { NodeId, Padding } from "../../../graph/graph.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedSize } from "../value.ts";
import { addPadding, isPadded, kernelOf, readWindows, type Sliding, type Windows } from "../window-attributes.ts";

export const maxPool: Operator = (node, translation) => {
  const windows = readWindows(node);
  const size = windowOf(node);
  const image = translation.image(node);
  requireImage(image);
  const { strides, padding: own, overhang, size: sides } = slide(windows, image, size);
  const padding = addPadding(own, overhang);
  const id = translation.writer.name(nodeName(node));
  return {
    ...image,
    node: translation.writer.push({ kind: "max-pool", id, inputs: [image.node], size, strides, padding }),
    size: checkedSize({ ...sides, channels: image.size.channels }),
  };
};

export const averagePool: Operator = (node, translation) => {
  const countsPadding = node.attributes.int("count_include_pad", 0) !== 0;
  const windows = readWindows(node);
  const size = windowOf(node);
  const image = translation.image(node);
  const { strides, padding, overhang, size: sides } = slide(windows, image, size);
  const isWhole = size[0] === image.size.height && size[1] === image.size.width;
  if (isWhole && !isPadded(padding)) return globalPool(node, translation, image);
  requireImage(image);
  const { writer } = translation;
  const id = writer.name(nodeName(node));
  const whole = checkedSize({ ...sides, channels: image.size.channels });
  // The mean of one element is that element: on a grid it stays on it, which nothing need quantize again.
  if (isOnes(size)) {
    if (isOnes(strides)) return image;
    const node = writer.push({ kind: "max-pool", id, inputs: [image.node], size, strides, padding });
    return { ...image, node, size: whole };
  }
  const pool = (input: NodeId, padding: Padding) =>
    writer.push({ kind: "average-pool", id, inputs: [input], size, strides, padding });
  if (!countsPadding || !isPadded(padding)) {
    return { ...image, node: pool(image.node, addPadding(padding, overhang)), size: whole };
  }
  // What ceil_mode adds behind the padding does not count.
  const padded = writer.name(`${id}.padded`);
  const zeros = writer.push({ kind: "pad", id: padded, inputs: [image.node], padding, channels: [0, 0] });
  return { ...image, node: pool(zeros, overhang), size: whole };
};

export const globalAveragePool: Operator = (node, translation) => {
  const image = translation.image(node);
  return globalPool(node, translation, image);
};

/** The mean over rows and columns, as ReduceMean. */
export const reduceMean: Operator = (node, translation) => {
  const keeps = node.attributes.int("keepdims", 1) !== 0;
  const axes = translation.axes(node, 1);
  const image = translation.activation(node);
  if (image.axes.length !== 3) throw new Unsupported(`it reads [batch, ${image.axes.join(", ")}], expected images`);
  const rank = image.axes.length + 1;
  const reduced = new Set((axes ?? []).map((axis) => image.axes[(axis < 0 ? axis + rank : axis) - 1]));
  if (reduced.size !== 2 || !reduced.has("height") || !reduced.has("width")) {
    throw new Unsupported(`it takes the mean over axes ${axes?.join(", ") ?? "all"}, expected rows and columns`);
  }
  const pooled = globalPool(node, translation, image);
  return keeps ? pooled : { ...pooled, axes: ["channels"] };
};

function globalPool(node: OnnxNode, { writer }: Translation, image: Activation): Activation {
  const size = { ...image.size, height: 1, width: 1 };
  if (image.vector) return { ...image, size };
  const id = writer.name(nodeName(node));
  // Of one row and column, the mean is the image itself.
  const isOne = image.size.height === 1 && image.size.width === 1;
  const kind = isOne ? "flatten" : "global-average-pool";
  return { ...image, node: writer.push({ kind, id, inputs: [image.node] }), size, vector: true };
}

/** @throws Unsupported where there is something between its taps. */
function windowOf(node: OnnxNode): Pair {
  const kernel = kernelOf(node);
  if (kernel === null) throw new Damaged("it has no kernel_shape");
  const dilations = node.attributes.ints("dilations") ?? [1, 1];
  if (dilations.some((dilation, axis) => dilation !== 1 && kernel[axis] !== 1)) {
    throw new Unsupported(`its dilations are ${dilations.join(", ")}: pooling takes neighbouring pixels alone`);
  }
  return kernel;
}

function requireImage({ vector }: Activation): void {
  if (vector) throw new Unsupported("it pools what is pooled globally already");
}

function slide(windows: Windows, image: Activation, kernel: Pair): Sliding {
  const sliding = windows(image.size, kernel);
  const { padding } = sliding;
  const [rows, columns] = kernel;
  if (padding.top >= rows || padding.bottom >= rows || padding.left >= columns || padding.right >= columns) {
    throw new Damaged(`it pads a whole window of ${rows} x ${columns}`);
  }
  return sliding;
}
