import { Unsupported } from "./problems.ts";

/** Places along an axis of `size` that is enlarged to `length`, a whole number of times as many. */
interface Enlarged {
  readonly place: number;
  readonly size: number;
  readonly length: number;
}

/** Where a place of the enlarged axis lies on the original one (ONNX, Resize: coordinate_transformation_mode). */
const coordinates: ReadonlyMap<string, (of: Enlarged) => number> = new Map([
  ["asymmetric", ({ place, size, length }) => (place * size) / length],
  ["half_pixel", halfPixel],
  // Of whole factors the two are the same, and an enlarged axis has more than one place.
  ["half_pixel_symmetric", halfPixel],
  ["pytorch_half_pixel", halfPixel],
  ["tf_half_pixel_for_nn", ({ place, size, length }) => ((place + 0.5) * size) / length],
  ["align_corners", ({ place, size, length }) => (place * (size - 1)) / (length - 1)],
]);

function halfPixel({ place, size, length }: Enlarged): number {
  return ((place + 0.5) * size) / length - 0.5;
}

/** Which place is the nearest to a coordinate (ONNX, Resize: nearest_mode). */
const roundings: ReadonlyMap<string, (coordinate: number) => number> = new Map([
  ["round_prefer_floor", (x) => Math.ceil(x - 0.5)],
  ["round_prefer_ceil", (x) => Math.floor(x + 0.5)],
  ["floor", Math.floor],
  ["ceil", Math.ceil],
]);

/** How a Resize finds the place that it reads. */
export interface Nearest {
  readonly coordinate: string;
  readonly rounding: string;
}

/**
 * Whether every place along an axis is read as often as any other, one time behind the other.
 *
 * @throws Unsupported at a mode that is not known.
 */
export function readsEvenly({ coordinate, rounding }: Nearest, size: number, factor: number): boolean {
  const [original, rounded] = [coordinates.get(coordinate), roundings.get(rounding)];
  if (original === undefined || rounded === undefined)
    throw new Unsupported(`its nearest places are found by "${coordinate}" and "${rounding}"`);
  const length = size * factor;
  for (let place = 0; place < length; place++) {
    const read = Math.min(size - 1, Math.max(0, rounded(original({ place, size, length }))));
    if (read !== Math.floor(place / factor)) return false;
  }
  return true;
}
