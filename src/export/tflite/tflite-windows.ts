import { at } from "../../core/elements.ts";
import type { Padding } from "../../graph/graph.ts";

interface Windows {
  /** Height and width. */
  readonly size: readonly [number, number];
  readonly stride: number;
  readonly padding: Padding;
}

/**
 * How TensorFlow Lite pads windows over an image: not at all, by its own rule (SAME: as much as makes
 * ceil(size / stride) windows, the odd row below), or by an operator before.
 */
export function paddingKind(
  { size, stride, padding }: Windows,
  image: readonly number[],
): "none" | "same" | "operator" {
  const { top, bottom, left, right } = padding;
  if (top === 0 && bottom === 0 && left === 0 && right === 0) return "none";
  const fits = (axis: 0 | 1, before: number, after: number) => {
    const length = at(image, axis);
    const total = Math.max((Math.ceil(length / stride) - 1) * stride + size[axis] - length, 0);
    return before === Math.floor(total / 2) && after === total - before;
  };
  return fits(0, top, bottom) && fits(1, left, right) ? "same" : "operator";
}
