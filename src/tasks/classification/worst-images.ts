import { type ByteImage, encodePng } from "../../core/png.ts";
import type { ComparedWithFloat, WorstImage } from "./class-findings.ts";
import type { Confidences } from "./confidences.ts";
import type { Mistake } from "./most-confident.ts";

/** Larger images are scaled down to this side: enough to see what is on them. */
const largestSide = 64;

/** The images that the network got wrong with the highest confidence, as pictures, most confident first. */
export const worstImages = ({ mistakes, imageShape }: Confidences): WorstImage[] =>
  imageShape === null ? [] : mistakes.map((mistake) => asPicture(mistake, imageShape));

/** What became of what float32 got right, with pictures of what was lost. */
export function lostImages({ againstFloat, imageShape }: Confidences): ComparedWithFloat | null {
  if (againstFloat === null) return null;
  const { mistakes, ...counts } = againstFloat;
  return { ...counts, images: imageShape === null ? [] : mistakes.map((mistake) => asPicture(mistake, imageShape)) };
}

function asPicture<Kept extends Mistake>(
  { pixels, ...mistake }: Kept,
  imageShape: NonNullable<Confidences["imageShape"]>,
) {
  const small = thumbnail(pixels, imageShape);
  const { width, height } = small;
  return { ...mistake, width, height, png: encodePng(small).toString("base64") };
}

/**
 * The image as grey or colour bytes, each side at most 64 pixels, a pixel the mean of those it covers. Of an image
 * with neither 1 nor 3 channels the first is shown.
 */
export function thumbnail(pixels: Uint8Array, [height, width, channels]: readonly [number, number, number]): ByteImage {
  const factor = Math.ceil(Math.max(height, width) / largestSide);
  const [rows, columns] = [Math.ceil(height / factor), Math.ceil(width / factor)];
  const shown = channels === 3 ? 3 : 1;
  const small = new Uint8Array(rows * columns * shown);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let channel = 0; channel < shown; channel++) {
        small[(y * columns + x) * shown + channel] = meanOf(y, x, channel);
      }
    }
  }
  return { width: columns, height: rows, channels: shown, pixels: small };

  function meanOf(y: number, x: number, channel: number): number {
    let sum = 0;
    let covered = 0;
    for (let row = y * factor; row < Math.min(height, (y + 1) * factor); row++) {
      for (let column = x * factor; column < Math.min(width, (x + 1) * factor); column++) {
        sum += pixels[(row * width + column) * channels + channel]!;
        covered++;
      }
    }
    return Math.round(sum / covered);
  }
}
