import type { Padding, Shape } from "../graph/graph.ts";

export const noPadding: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

/**
 * The shape of an image.
 *
 * @throws Error when it is none.
 */
export function imageShape(id: string, shape: Shape): readonly [height: number, width: number, channels: number] {
  const [height, width, channels] = shape;
  if (height === undefined || width === undefined || channels === undefined || shape.length > 3) {
    throw new Error(`${id}: reads [${shape}], expected an image [height, width, channels]`);
  }
  return [height, width, channels];
}

/**
 * Rows and columns of what a sliding window makes of an image; windows that would reach past the border are left out.
 *
 * @throws Error when not even one window fits.
 */
export function windowOutput(
  id: string,
  [height, width]: readonly [height: number, width: number, channels: number],
  {
    kernel: [rows, columns],
    stride,
    padding: { top, bottom, left, right },
  }: { kernel: readonly [number, number]; stride: number; padding: Padding },
): readonly [number, number] {
  const size = [
    Math.floor((height + top + bottom - rows) / stride) + 1,
    Math.floor((width + left + right - columns) / stride) + 1,
  ] as const;
  if (size[0] < 1 || size[1] < 1) throw new Error(`${id}: an image of ${height}×${width} is smaller than its window`);
  return size;
}
