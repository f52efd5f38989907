import { at, first } from "../../../core/elements.ts";
import type { ImageShape } from "../../dataset.ts";

/** How an image becomes as large as the network's input, where no random crop does it. */
export type Resize =
  /** The shorter side to `shorterSide` pixels, then the middle is cut out. */
  | { readonly fit: "crop"; readonly shorterSide: number }
  /** Width and height each to the network's. */
  | { readonly fit: "stretch" };

/** Inception's random crop, in every epoch anew. */
export interface RandomResizedCrop {
  /** Smallest and largest share of the image's area. */
  readonly scale: readonly [number, number];
  /** Smallest and largest ratio of width to height. */
  readonly ratio: readonly [number, number];
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What of an image becomes what the network sees: its pixels in `from` become `large` ones, and `cut` is taken out of these. */
export interface View {
  readonly from: Rectangle;
  readonly large: Size;
  readonly cut: Rectangle;
}

/** @param crop Numbers for `randomCrop`, where there is one. */
export function viewOf(
  size: Size,
  { resize, shape }: { readonly resize: Resize; readonly shape: ImageShape },
  crop: { readonly ranges: RandomResizedCrop; readonly draws: Float64Array } | null,
): View {
  const seen = { width: shape[1], height: shape[0] };
  const whole = { left: 0, top: 0 };
  if (crop !== null)
    return { from: randomCrop(size, crop.ranges, crop.draws), large: seen, cut: { ...whole, ...seen } };
  const from = { ...whole, ...size };
  if (resize.fit === "stretch") return { from, large: seen, cut: { ...whole, ...seen } };
  const large = resizedSize(size, resize.shorterSide, shape);
  return { from, large, cut: middle(large, seen) };
}

/** Numbers from (0, 1) that `randomCrop` uses: ten tries of area and ratio, and a place. */
export const randomCropDraws = 22;

/**
 * A random rectangle of an image: area and ratio from the given ranges (the ratio's logarithm is uniform), up to ten
 * tries until one fits, else the largest one in the middle whose ratio is allowed. (Szegedy et al., "Going deeper
 * with convolutions", 2015, as torchvision's RandomResizedCrop does it.)
 */
export function randomCrop(size: Size, { scale, ratio }: RandomResizedCrop, draws: Float64Array): Rectangle {
  const between = ([low, high]: readonly [number, number], u: number) => low + (high - low) * u;
  const logarithms = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = size.width * size.height * between(scale, draws[2 + 2 * attempt]!);
    const chosen = Math.exp(between(logarithms, draws[3 + 2 * attempt]!));
    const width = Math.round(Math.sqrt(area * chosen));
    const height = Math.round(Math.sqrt(area / chosen));
    if (width < 1 || height < 1 || width > size.width || height > size.height) continue;
    const left = Math.floor(first(draws) * (size.width - width + 1));
    const top = Math.floor(at(draws, 1) * (size.height - height + 1));
    return { left, top, width, height };
  }
  const own = size.width / size.height;
  const width = own > ratio[1] ? Math.max(1, Math.round(size.height * ratio[1])) : size.width;
  const height = own < ratio[0] ? Math.max(1, Math.round(size.width / ratio[0])) : size.height;
  return middle(size, { width, height });
}

/** The rectangle of this size in the middle of an image. */
export const middle = (of: Size, { width, height }: Size): Rectangle => ({
  left: Math.round((of.width - width) / 2),
  top: Math.round((of.height - height) / 2),
  width,
  height,
});

/** Size of an image before its middle is cut out: the shorter side `shorterSide`, never below the network's input. */
export function resizedSize({ width, height }: Size, shorterSide: number, [inHeight, inWidth]: ImageShape): Size {
  const factor = shorterSide / Math.min(width, height);
  return {
    width: Math.max(inWidth, Math.round(width * factor)),
    height: Math.max(inHeight, Math.round(height * factor)),
  };
}
