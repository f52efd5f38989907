import { at } from "../../../core/elements.ts";
import { copyChanged } from "../../augmentation.ts";
import { voidPixel } from "../../targets.ts";
import { changesOf, type Recipe } from "./decode-image.ts";
import { expectedValues, type MaskValues } from "./mask-values.ts";
import { type GrayImage, readGrayPng } from "./read-gray-png.ts";
import type { Size, View } from "./resized-view.ts";

/**
 * Decodes a mask's content into `to` at `at`, {@link voidPixel} so far: seen and changed as its image is, each pixel the
 * nearest one.
 *
 * @param image Size of the image.
 * @throws Error with the reason alone: no such PNG, of another size than the image, or a value that is no class.
 */
export async function decodeMask(
  content: Buffer,
  image: Size,
  recipe: Recipe & { readonly masks: MaskValues },
  seen: { readonly epoch: number | null; readonly index: number },
  to: Uint8Array,
  at: number,
): Promise<void> {
  const mask = await readGrayPng(content);
  if (mask.width !== image.width || mask.height !== image.height) {
    throw new Error(
      `it is ${mask.width} x ${mask.height}, and its image ${image.width} x ${image.height} pixels: save both of one size`,
    );
  }
  const { height, width } = { height: recipe.shape[0], width: recipe.shape[1] };
  const { view, change } = changesOf(image, recipe, seen);
  const classes = nearestIn(classesOf(mask, recipe.masks), mask, view);
  copyChanged(classes, 0, to, at, [height, width, 1], change);
}

function classesOf({ pixels, width }: GrayImage, meanings: MaskValues): Uint8Array {
  return pixels.map((value, place) => {
    const meaning = at(meanings, value);
    if (meaning >= 0) return meaning;
    const hint = value === voidPixel ? "; if 255 is a class, say so with data.masks.values, as [0, 255]" : "";
    throw new Error(
      `${value} in row ${Math.floor(place / width)}, column ${place % width} is no class: expected ${expectedValues(meanings)}${hint}`,
    );
  });
}

/** What of a mask is seen. */
function nearestIn(classes: Uint8Array, { width, height }: Size, { from, large, cut }: View): Uint8Array {
  const placeOf = (pixel: number, start: number, length: number, of: number, end: number) =>
    Math.min(end - 1, Math.floor(start + ((pixel + 0.5) * length) / of));
  const columns = Array.from({ length: cut.width }, (_, x) =>
    placeOf(x + cut.left, from.left, from.width, large.width, width),
  );
  const seen = new Uint8Array(cut.width * cut.height);
  for (let y = 0; y < cut.height; y++) {
    const row = width * placeOf(y + cut.top, from.top, from.height, large.height, height);
    for (const [x, column] of columns.entries()) seen[y * cut.width + x] = classes[row + column] ?? voidPixel;
  }
  return seen;
}
