import type { Padding, Shape } from "../graph/graph.ts";

/**
 * Rows and columns of what a sliding window makes of an image; windows that would reach past the border are left out.
 *
 * @throws Error when not even one window fits.
 */
export function windowOutput(
  id: string,
  [height, width]: Shape,
  {
    kernel: [rows, columns],
    stride,
    padding: { top, bottom, left, right },
  }: { kernel: readonly [number, number]; stride: number; padding: Padding },
): readonly [number, number] {
  const size = [
    Math.floor((height! + top + bottom - rows) / stride) + 1,
    Math.floor((width! + left + right - columns) / stride) + 1,
  ] as const;
  if (size[0] < 1 || size[1] < 1) throw new Error(`${id}: an image of ${height}×${width} is smaller than its window`);
  return size;
}
