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
  for (let at = 0; at < values.length; at++) {
    const pixel = Math.floor(at / channels);
    const image = Math.floor(pixel / area);
    moved[(image * channels + (at % channels)) * area + (pixel % area)] = values[at]!;
  }
  return moved;
}
