import type { Pair } from "../core/pair.ts";
import type { Padding, Shape } from "../graph/graph.ts";

export const noPadding: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

/** How windows slide over an image. */
export interface Windows {
  /** Taps of a window. */
  readonly kernel: Pair;
  readonly strides: Pair;
  /** From one tap to the next; left out: 1. */
  readonly dilations?: Pair;
  readonly padding: Padding;
}

/** In how many places a window stands along an axis; one that would reach past the end is left out. */
export const windowsAlong = (size: number, kernel: number, stride: number, dilation = 1): number =>
  Math.floor((size - (kernel - 1) * dilation - 1) / stride) + 1;

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
  { kernel, strides, dilations = [1, 1], padding: { top, bottom, left, right } }: Windows,
): Pair {
  const size = [
    windowsAlong(height + top + bottom, kernel[0], strides[0], dilations[0]),
    windowsAlong(width + left + right, kernel[1], strides[1], dilations[1]),
  ] as const;
  if (size[0] < 1 || size[1] < 1) throw new Error(`${id}: an image of ${height}×${width} is smaller than its window`);
  return size;
}
