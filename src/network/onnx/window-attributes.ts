import { at, first } from "../../core/elements.ts";
import type { Pair } from "../../core/pair.ts";
import { shorten } from "../../core/shorten.ts";
import type { Padding } from "../../graph/graph.ts";
import { windowsAlong } from "../../kinds/windows.ts";
import type { OnnxNode } from "./model-graph.ts";
import { cut, Damaged, Unsupported } from "./problems.ts";
import type { Floats } from "./value.ts";

interface Sides {
  readonly height: number;
  readonly width: number;
}

/** How a window slides over an image: what the graph has of it. */
export interface Sliding {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  /** Rows and columns behind the padding that the last windows of ceil_mode reach into. */
  readonly overhang: Padding;
  /** Rows and columns that the windows give. */
  readonly size: Sides;
}

/** How windows of a kernel slide over an image, as a node's attributes have it. */
export type Windows = (image: Sides, kernel: Pair) => Sliding;

/** A pair of numbers for rows and columns; of a line, an image of one row, the file has that for columns alone. */
function pair(node: OnnxNode, name: string, fallback: number): Pair {
  const given = node.attributes.ints(name) ?? [fallback, fallback];
  const values = given.length === 1 ? [1, ...given] : given;
  if (values.length !== 2)
    throw new Unsupported(`its ${name} have ${count(values.length)}, expected ${LINES_OR_IMAGES}`);
  if (values.some((value) => value < 1)) throw new Damaged(`its ${name} are ${values.join(", ")}, expected at least 1`);
  return [first(values), at(values, 1)];
}

const LINES_OR_IMAGES = "1 or 2: lines and images alone";

const count = (dimensions: number): string => `${dimensions} ${dimensions === 1 ? "dimension" : "dimensions"}`;

/** A weight as one of images: of lines it is [out, in, length]. */
export function kernelsOf(weight: Floats): Floats {
  const { dims } = weight;
  if (dims.length === 3) return { ...weight, dims: [...dims.slice(0, 2), 1, at(dims, 2)] };
  if (dims.length === 4) return weight;
  throw new Unsupported(`its weight is [${shorten(String(dims))}], expected one of lines or images`);
}

/** The size of the window; null where the node leaves it to its weight. */
export const kernelOf = (node: OnnxNode): Pair | null =>
  node.attributes.has("kernel_shape") ? pair(node, "kernel_shape", 1) : null;

/** From one tap of a window to the next. */
export const dilationsOf = (node: OnnxNode): Pair => pair(node, "dilations", 1);

/** @throws Unsupported at paddings that the graph does not have. */
export function readWindows(node: OnnxNode): Windows {
  const strides = pair(node, "strides", 1);
  const declared = dilationsOf(node);
  const paddingOf = readPadding(node, strides);
  const up = node.attributes.int("ceil_mode", 0) !== 0;
  return (image, kernel) => {
    const [rows, columns] = kernel;
    // Between the taps of a single row or column lies nothing.
    const dilations: Pair = [rows === 1 ? 1 : declared[0], columns === 1 ? 1 : declared[1]];
    const reach: Pair = [(rows - 1) * dilations[0] + 1, (columns - 1) * dilations[1] + 1];
    const given = paddingOf(image, reach);
    const bottom = up ? endPadding(image.height, reach[0], strides[0], given.top, given.bottom) : 0;
    const right = up ? endPadding(image.width, reach[1], strides[1], given.left, given.right) : 0;
    const size = {
      height: windowsAlong(image.height + given.top + given.bottom + bottom, reach[0], strides[0]),
      width: windowsAlong(image.width + given.left + given.right + right, reach[1], strides[1]),
    };
    return {
      strides,
      dilations,
      padding: given,
      overhang: { top: 0, left: 0, bottom, right },
      size,
    };
  };
}

/** How the windows of a transposed convolution lie in what it gives. */
export interface Spreading {
  readonly strides: Pair;
  /** What is cut off. */
  readonly padding: Padding;
  readonly outputPadding: Pair;
}

/** The same of a node's attributes, for images of a size. @throws Unsupported at dilations. */
export function readSpreading(node: OnnxNode): (image: Sides, kernel: Pair) => Spreading {
  const strides = pair(node, "strides", 1);
  const dilations = dilationsOf(node);
  const outputPadding = twoOf(node, "output_padding") ?? [0, 0];
  const wanted = twoOf(node, "output_shape");
  const given = readPadding(node, strides);
  const automatic = node.attributes.string("auto_pad", "NOTSET");
  return (image, kernel) => {
    if (dilations.some((dilation, axis) => dilation !== 1 && kernel[axis] !== 1)) {
      throw new Unsupported(`its dilations are ${dilations.join(", ")}: transposed convolutions have none here`);
    }
    const isSame = automatic.startsWith("SAME");
    if (wanted === null && !isSame) return { strides, padding: given(image, kernel), outputPadding };
    const padding = halves(automatic, image, (axis, size) => {
      const whole = (size - 1) * strides[axis] + kernel[axis] + outputPadding[axis];
      return whole - (wanted?.[axis] ?? size * strides[axis]);
    });
    return { strides, padding, outputPadding };
  };
}

/** Two whole numbers of 0 or more, where the node has them. */
function twoOf(node: OnnxNode, name: string): Pair | null {
  const values = node.attributes.ints(name);
  if (values === null || values.length === 0) return null;
  if (values.length === 1) return [name === "output_shape" ? 1 : 0, first(values)];
  if (values.length !== 2)
    throw new Unsupported(`its ${name} has ${count(values.length)}, expected ${LINES_OR_IMAGES}`);
  if (values.some((value) => value < 0)) throw new Damaged(`its ${name} is ${values.join(", ")}, expected at least 0`);
  return [first(values), at(values, 1)];
}

/** What the last window of ceil_mode, which may not begin in the padding, reaches into behind it. */
function endPadding(size: number, kernel: number, stride: number, before: number, after: number): number {
  let windows = Math.ceil((size + before + after - kernel) / stride) + 1;
  if ((windows - 1) * stride >= size + before) windows--;
  return Math.max(0, (windows - 1) * stride + kernel - size - before - after);
}

/**
 * What stands before and behind rows and columns, of both together; of an odd number SAME_UPPER has one more behind, all
 * others before.
 */
function halves(automatic: string, { height, width }: Sides, totalOf: (axis: 0 | 1, size: number) => number): Padding {
  const split = (axis: 0 | 1, size: number): Pair => {
    const total = Math.max(0, totalOf(axis, size));
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    return automatic === "SAME_UPPER" ? [less, more] : [more, less];
  };
  const [top, bottom] = split(0, height);
  const [left, right] = split(1, width);
  return { top, bottom, left, right };
}

function readPadding({ attributes }: OnnxNode, strides: Pair): (image: Sides, kernel: Pair) => Padding {
  const automatic = attributes.string("auto_pad", "NOTSET");
  const pads = attributes.ints("pads") ?? [0, 0, 0, 0];
  switch (automatic) {
    case "NOTSET": {
      const [top, left, bottom, right] = pads.length === 2 ? [0, pads[0], 0, pads[1]] : pads;
      if (pads.length !== 4 && pads.length !== 2)
        throw new Unsupported(`its pads have ${count(pads.length / 2)}, expected ${LINES_OR_IMAGES}`);
      if (pads.some((size) => size < 0)) throw new Unsupported(`its pads are ${pads.join(", ")}: it crops`);
      return () => ({ top: top!, bottom: bottom!, left: left!, right: right! });
    }
    case "VALID":
      return () => ({ top: 0, bottom: 0, left: 0, right: 0 });
    case "SAME_UPPER":
    case "SAME_LOWER":
      return (image, kernel) =>
        halves(
          automatic,
          image,
          (axis, size) => (Math.ceil(size / strides[axis]) - 1) * strides[axis] + kernel[axis] - size,
        );
    default:
      throw new Damaged(`its auto_pad is "${cut(automatic)}"`);
  }
}

export const addPadding = (a: Padding, b: Padding | null): Padding => ({
  top: a.top + (b?.top ?? 0),
  bottom: a.bottom + (b?.bottom ?? 0),
  left: a.left + (b?.left ?? 0),
  right: a.right + (b?.right ?? 0),
});
