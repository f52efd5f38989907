import { uniforms } from "../core/random.ts";
import type { ImageShape } from "./dataset.ts";

/** How training images are changed, each in every epoch anew. */
export interface Augmentation {
  /** The image, with `padding` black pixels on every side, is cut to its own size at a random place. */
  readonly crop?: { readonly padding: number } | undefined;
  /** Left and right are swapped in half of the cases. */
  readonly flip: boolean;
}

/** What happens to one image in one epoch: its window moves down and right by so many pixels, then it may be flipped. */
export interface Change {
  readonly down: number;
  readonly right: number;
  readonly flip: boolean;
}

/** Numbers from (0, 1) for one image in one epoch, a function of the seed. */
export const imageDraws = (
  { seed, epoch, index }: { seed: number; epoch: number; index: number },
  count: number,
): Float64Array => uniforms({ seed, stream: "augmentation", counter: epoch * 2 ** 32 + index }, count);

/** The change that the first three of `draws` choose. */
export function drawChange([first, second, third]: Float64Array, { crop, flip }: Augmentation): Change {
  const padding = crop?.padding ?? 0;
  const offset = (u: number) => Math.floor(u * (2 * padding + 1)) - padding;
  return { down: offset(first!), right: offset(second!), flip: flip && third! < 0.5 };
}

/**
 * Copies one image, changed, row by row: 128 CIFAR images take half a millisecond.
 *
 * @param to Zeros at `at`: what the window shows beyond the image stays black.
 */
export function copyChanged(
  from: Uint8Array,
  start: number,
  to: Uint8Array,
  at: number,
  [height, width, channels]: ImageShape,
  { down, right, flip }: Change,
): void {
  const left = Math.max(0, -right);
  const end = Math.min(width, width - right);
  if (left >= end) return;
  for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
    const source = start + ((row + down) * width + right) * channels;
    if (flip) {
      let target = at + ((row + 1) * width - 1 - left) * channels;
      for (let pixel = source + left * channels; pixel < source + end * channels; pixel += channels) {
        for (let channel = 0; channel < channels; channel++) to[target + channel] = from[pixel + channel]!;
        target -= channels;
      }
    } else {
      to.set(from.subarray(source + left * channels, source + end * channels), at + (row * width + left) * channels);
    }
  }
}
