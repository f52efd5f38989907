import type { ImageShape, Normalization } from "../data/dataset.ts";

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

/** Pixels, channels last, as a network sees them. */
export function normalized(images: Uint8Array, { mean, deviation }: Normalization): Float32Array {
  const scale = deviation.map((value) => 1 / (255 * value));
  const shift = mean.map((value, channel) => value / deviation[channel]!);
  return Float32Array.from(images, (byte, index) => {
    const channel = index % scale.length;
    return byte * scale[channel]! - shift[channel]!;
  });
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
