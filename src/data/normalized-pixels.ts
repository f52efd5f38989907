import type { Normalization } from "./dataset.ts";

/** Pixels, channels last, as a network sees them. */
export function normalized(images: Uint8Array, { mean, deviation }: Normalization): Float32Array {
  const scale = deviation.map((value) => 1 / (255 * value));
  const shift = mean.map((value, channel) => value / deviation[channel]!);
  return Float32Array.from(images, (byte, index) => {
    const channel = index % scale.length;
    return byte * scale[channel]! - shift[channel]!;
  });
}
