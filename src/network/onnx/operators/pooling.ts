import type { Padding } from "../../../graph/graph.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedSize } from "../value.ts";
import { isPadded, kernelOf, readWindows, slide } from "../windows.ts";

/** A pooling window, with what rounding up adds to the padding at the end. */
interface Pooling {
  readonly image: Activation;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly padding: Padding;
  readonly roundsUp: boolean;
}

export const maxPool: Operator = (node, translation) => {
  const { image, kernel, stride, padding } = readPooling(node, translation);
  const [size, columns] = kernel;
  if (size !== columns) throw new Unsupported(`its window is ${size} x ${columns}, expected a square`);
  const { channels } = image.size;
  const pooled = checkedSize({ ...slide(image.size, { kernel, stride, padding }), channels });
  const id = translation.writer.name(nodeName(node));
  return {
    ...image,
    node: translation.writer.push({ kind: "max-pool", id, inputs: [image.node], size, stride, padding }),
    size: pooled,
  };
};

export const averagePool: Operator = (node, translation) => {
  const countsPadding = node.attributes.int("count_include_pad", 0) !== 0;
  const { image, kernel, stride, padding, roundsUp } = readPooling(node, translation);
  const [size, columns] = kernel;
  if (!isPadded(padding) && size === image.size.height && columns === image.size.width)
    return globalPool(node, translation, image);
  if (size !== columns) throw new Unsupported(`its window is ${size} x ${columns}, expected a square`);
  if (roundsUp || (isPadded(padding) && !countsPadding)) {
    throw new Unsupported("it leaves padding out of the mean (count_include_pad = 0)");
  }
  const { channels } = image.size;
  const pooled = checkedSize({ ...slide(image.size, { kernel, stride, padding }), channels });
  const id = translation.writer.name(nodeName(node));
  let input = image.node;
  if (isPadded(padding)) {
    const padded = translation.writer.name(`${id}.padded`);
    input = translation.writer.push({ kind: "pad", id: padded, inputs: [input], padding, channels: [0, 0] });
  }
  return {
    ...image,
    node: translation.writer.push({ kind: "average-pool", id, inputs: [input], size, stride }),
    size: pooled,
  };
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
  return { ...image, node: writer.push({ kind: "global-average-pool", id, inputs: [image.node] }), size, vector: true };
}

function readPooling(node: OnnxNode, translation: Translation): Pooling {
  const { stride, padding: paddingFor } = readWindows(node);
  const kernel = kernelOf(node);
  const up = node.attributes.int("ceil_mode", 0) !== 0;
  if (kernel === null) throw new Damaged("it has no kernel_shape");
  const image = translation.image(node);
  const padding = paddingFor(image.size, kernel);
  const [rows, columns] = kernel;
  if (padding.top >= rows || padding.bottom >= rows || padding.left >= columns || padding.right >= columns) {
    throw new Damaged(`it pads a whole window of ${rows} x ${columns}`);
  }
  if (image.vector) throw new Unsupported("it pools what is pooled globally already");
  if (!up) return { image, kernel, stride, padding, roundsUp: false };
  const bottom = endPadding(image.size.height, rows, stride, padding.top, padding.bottom);
  const right = endPadding(image.size.width, columns, stride, padding.left, padding.right);
  const roundsUp = bottom > padding.bottom || right > padding.right;
  return { image, kernel, stride, padding: { ...padding, bottom, right }, roundsUp };
}

/** Padding at the end that makes room for the last window of ceil_mode; a window may not begin in it. */
function endPadding(size: number, kernel: number, stride: number, before: number, after: number): number {
  let windows = Math.ceil((size + before + after - kernel) / stride) + 1;
  if ((windows - 1) * stride >= size + before) windows--;
  return Math.max(after, (windows - 1) * stride + kernel - size - before);
}
