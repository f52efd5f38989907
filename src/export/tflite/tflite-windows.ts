import { at } from "../../core/elements.ts";
import type { Pair } from "../../core/pair.ts";
import type { Padding } from "../../graph/graph.ts";

interface Windows {
  /** Taps of a window. */
  readonly size: Pair;
  readonly strides: Pair;
  /** Left out: 1. */
  readonly dilations?: Pair;
  readonly padding: Padding;
}

/**
 * How TensorFlow Lite pads windows over an image: not at all, by its own rule (SAME: as much as makes
 * ceil(size / stride) windows, the odd row below), or by an operator before.
 */
export function paddingKind(
  { size, strides, dilations = [1, 1], padding }: Windows,
  image: readonly number[],
): "none" | "same" | "operator" {
  const { top, bottom, left, right } = padding;
  if (top === 0 && bottom === 0 && left === 0 && right === 0) return "none";
  const fits = (axis: 0 | 1, before: number, after: number) => {
    const length = at(image, axis);
    const reach = (size[axis] - 1) * dilations[axis] + 1;
    const total = Math.max((Math.ceil(length / strides[axis]) - 1) * strides[axis] + reach - length, 0);
    return before === Math.floor(total / 2) && after === total - before;
  };
  return fits(0, top, bottom) && fits(1, left, right) ? "same" : "operator";
}
