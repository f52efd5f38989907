import { at } from "../core/elements.ts";
import type { ImageShape } from "../data/dataset.ts";

/** How an image lies in a file's input. */
export interface ImageLayout {
  readonly dims: readonly number[];
  readonly channelsFirst: boolean;
}

/** Layouts of an image, as training takes them; gray images may have no channels, or be a row of pixels. */
export function layoutsOf([height, width, channels]: ImageShape): readonly ImageLayout[] {
  const first = { dims: [channels, height, width], channelsFirst: true };
  const last = { dims: [height, width, channels], channelsFirst: false };
  const gray = [
    { dims: [height, width], channelsFirst: true },
    { dims: [height * width], channelsFirst: true },
  ];
  return channels === 1 ? [first, last, ...gray] : [first, last];
}

/** [n, height, width, channels] as [n, channels, height, width]. */
export function toChannelsFirst<T extends Float32Array | Uint8Array>(
  values: T,
  [height, width, channels]: ImageShape,
): T {
  if (channels === 1) return values;
  // A copy is of the same kind.
  const moved = values.slice() as T;
  const area = height * width;
  for (let index = 0; index < values.length; index++) {
    const pixel = Math.floor(index / channels);
    const image = Math.floor(pixel / area);
    moved[(image * channels + (index % channels)) * area + (pixel % area)] = values[index]!;
  }
  return moved;
}

/** [n, channels, height, width] as [n, height, width, channels]. */
export function fromChannelsFirst(values: Float32Array, [height, width, channels]: ImageShape): Float32Array {
  const area = height * width;
  return values.map((_, index) => {
    const pixel = Math.floor(index / channels);
    const image = Math.floor(pixel / area);
    return at(values, (image * channels + (index % channels)) * area + (pixel % area));
  });
}
