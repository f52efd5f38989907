import type { Padding } from "../../graph/graph.ts";
import type { OnnxNode } from "./model-graph.ts";
import { Damaged, Unsupported } from "./problems.ts";
import type { Activation } from "./value.ts";

/** How a window slides, as a node's attributes have it; the padding may wait for the image's size. */
export interface Windows {
  readonly stride: number;
  readonly padding: (image: Activation["size"], kernel: readonly [number, number]) => Padding;
}

/** A pair of numbers for rows and columns. */
function pair(node: OnnxNode, name: string, fallback: number): readonly [number, number] {
  const values = node.attributes.ints(name) ?? [fallback, fallback];
  if (values.length !== 2) throw new Unsupported(`its ${name} are for ${values.length} dimensions, expected 2`);
  if (values.some((value) => value < 1)) throw new Damaged(`its ${name} are ${values.join(", ")}, expected at least 1`);
  return [values[0]!, values[1]!];
}

/** The size of the window; null where the node leaves it to its weight. */
export const kernelOf = (node: OnnxNode): readonly [number, number] | null =>
  node.attributes.has("kernel_shape") ? pair(node, "kernel_shape", 1) : null;

/** @throws Unsupported at strides that differ, dilations and paddings that the graph does not have. */
export function readWindows(node: OnnxNode): Windows {
  const { attributes } = node;
  const [stride, other] = pair(node, "strides", 1);
  const dilations = pair(node, "dilations", 1);
  const automatic = attributes.string("auto_pad", "NOTSET");
  const pads = attributes.ints("pads") ?? [0, 0, 0, 0];
  if (stride !== other) throw new Unsupported(`its strides are ${stride} and ${other}, expected the same`);
  if (dilations.some((dilation) => dilation !== 1))
    throw new Unsupported(`its dilations are ${dilations.join(", ")}, expected 1`);
  switch (automatic) {
    case "NOTSET": {
      const [top, left, bottom, right] = pads;
      if (pads.length !== 4) throw new Unsupported(`its pads are for ${pads.length / 2} dimensions, expected 2`);
      if (pads.some((size) => size < 0)) throw new Unsupported(`its pads are ${pads.join(", ")}: it crops`);
      return { stride, padding: () => ({ top: top!, bottom: bottom!, left: left!, right: right! }) };
    }
    case "VALID":
      return { stride, padding: () => ({ top: 0, bottom: 0, left: 0, right: 0 }) };
    case "SAME_UPPER":
    case "SAME_LOWER": {
      const split = (size: number, kernel: number): readonly [number, number] => {
        const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
        const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
        return automatic === "SAME_UPPER" ? [less, more] : [more, less];
      };
      return {
        stride,
        padding({ height, width }, kernel) {
          const [top, bottom] = split(height, kernel[0]);
          const [left, right] = split(width, kernel[1]);
          return { top, bottom, left, right };
        },
      };
    }
    default:
      throw new Damaged(`its auto_pad is "${automatic}"`);
  }
}

export const isPadded = (padding: Padding): boolean => Object.values(padding).some((size) => size > 0);

export const addPadding = (a: Padding, b: Padding | null): Padding => ({
  top: a.top + (b?.top ?? 0),
  bottom: a.bottom + (b?.bottom ?? 0),
  left: a.left + (b?.left ?? 0),
  right: a.right + (b?.right ?? 0),
});

/** Rows and columns that windows give. */
export function slide(
  { height, width }: Pick<Activation["size"], "height" | "width">,
  { kernel, stride, padding }: { kernel: readonly [number, number]; stride: number; padding: Padding },
): { readonly height: number; readonly width: number } {
  return {
    height: Math.floor((height + padding.top + padding.bottom - kernel[0]) / stride) + 1,
    width: Math.floor((width + padding.left + padding.right - kernel[1]) / stride) + 1,
  };
}
