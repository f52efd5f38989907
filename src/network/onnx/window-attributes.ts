import { at, first } from "../../core/elements.ts";
import type { Padding } from "../../graph/graph.ts";
import type { OnnxNode } from "./model-graph.ts";
import { cut, Damaged, Unsupported } from "./problems.ts";
import type { Activation } from "./value.ts";

type Pair = readonly [rows: number, columns: number];
type Sides = Pick<Activation["size"], "height" | "width">;

/** How a window slides over an image: what the graph has of it. */
export interface Sliding {
  readonly stride: number;
  readonly padding: Padding;
  /** Whether rounding up put padding at the end. */
  readonly roundsUp: boolean;
  /** Rows and columns that the windows give. */
  readonly size: Sides;
}

/** How a window slides, as a node's attributes have it; the rest waits for the image's size. */
export interface Windows {
  /** @throws Unsupported at strides and dilations that the graph does not have, where they mean anything. */
  readonly over: (image: Sides, kernel: Pair) => Sliding;
  /** Throws the same where that does not depend on the image. */
  readonly judge: (kernel: Pair) => void;
}

/** A pair of numbers for rows and columns. */
function pair(node: OnnxNode, name: string, fallback: number): Pair {
  const values = node.attributes.ints(name) ?? [fallback, fallback];
  if (values.length !== 2) throw new Unsupported(`its ${name} have ${count(values.length)}, expected 2: images alone`);
  if (values.some((value) => value < 1)) throw new Damaged(`its ${name} are ${values.join(", ")}, expected at least 1`);
  return [first(values), at(values, 1)];
}

const count = (dimensions: number): string => `${dimensions} ${dimensions === 1 ? "dimension" : "dimensions"}`;

/** The size of the window; null where the node leaves it to its weight. */
export const kernelOf = (node: OnnxNode): Pair | null =>
  node.attributes.has("kernel_shape") ? pair(node, "kernel_shape", 1) : null;

/** @throws Unsupported at paddings that the graph does not have. */
export function readWindows(node: OnnxNode): Windows {
  const strides = pair(node, "strides", 1);
  const dilations = pair(node, "dilations", 1);
  const paddingOf = readPadding(node, strides);
  const up = node.attributes.int("ceil_mode", 0) !== 0;
  const judge = (kernel: Pair) => {
    if (dilations.some((dilation, axis) => dilation !== 1 && kernel[axis] !== 1))
      throw new Unsupported(`its dilations are ${dilations.join(", ")}, expected 1`);
  };
  return {
    judge,
    over(image, kernel) {
      judge(kernel);
      const given = paddingOf(image, kernel);
      const [rows, columns] = kernel;
      const bottom = up ? endPadding(image.height, rows, strides[0], given.top, given.bottom) : given.bottom;
      const right = up ? endPadding(image.width, columns, strides[1], given.left, given.right) : given.right;
      const padding = { ...given, bottom, right };
      const along = ([down, across]: Pair): Sides => ({
        height: windowsAlong(image.height + given.top + bottom, rows, down),
        width: windowsAlong(image.width + given.left + right, columns, across),
      });
      const size = along(strides);
      // A window that stands in one place alone may have any stride.
      const stride = strides.find((stride) => {
        const { height, width } = along([stride, stride]);
        return height === size.height && width === size.width;
      });
      if (stride === undefined) throw new Unsupported(`its strides are ${strides.join(" and ")}, expected the same`);
      return { stride, padding, roundsUp: bottom > given.bottom || right > given.right, size };
    },
  };
}

/** Padding at the end that makes room for the last window of ceil_mode; a window may not begin in it. */
function endPadding(size: number, kernel: number, stride: number, before: number, after: number): number {
  let windows = Math.ceil((size + before + after - kernel) / stride) + 1;
  if ((windows - 1) * stride >= size + before) windows--;
  return Math.max(after, (windows - 1) * stride + kernel - size - before);
}

function readPadding({ attributes }: OnnxNode, strides: Pair): (image: Sides, kernel: Pair) => Padding {
  const automatic = attributes.string("auto_pad", "NOTSET");
  const pads = attributes.ints("pads") ?? [0, 0, 0, 0];
  switch (automatic) {
    case "NOTSET": {
      const [top, left, bottom, right] = pads;
      if (pads.length !== 4) throw new Unsupported(`its pads have ${count(pads.length / 2)}, expected 2: images alone`);
      if (pads.some((size) => size < 0)) throw new Unsupported(`its pads are ${pads.join(", ")}: it crops`);
      return () => ({ top: top!, bottom: bottom!, left: left!, right: right! });
    }
    case "VALID":
      return () => ({ top: 0, bottom: 0, left: 0, right: 0 });
    case "SAME_UPPER":
    case "SAME_LOWER": {
      const split = (size: number, kernel: number, stride: number): readonly [number, number] => {
        const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
        const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
        return automatic === "SAME_UPPER" ? [less, more] : [more, less];
      };
      return ({ height, width }, kernel) => {
        const [top, bottom] = split(height, kernel[0], strides[0]);
        const [left, right] = split(width, kernel[1], strides[1]);
        return { top, bottom, left, right };
      };
    }
    default:
      throw new Damaged(`its auto_pad is "${cut(automatic)}"`);
  }
}

/** In how many places a window stands along an axis. */
const windowsAlong = (size: number, kernel: number, stride: number): number => Math.floor((size - kernel) / stride) + 1;

export const isPadded = (padding: Padding): boolean => Object.values(padding).some((size) => size > 0);

export const addPadding = (a: Padding, b: Padding | null): Padding => ({
  top: a.top + (b?.top ?? 0),
  bottom: a.bottom + (b?.bottom ?? 0),
  left: a.left + (b?.left ?? 0),
  right: a.right + (b?.right ?? 0),
});
