import { at } from "../../../core/elements.ts";
import { voidPixel } from "../../targets.ts";

/** What the values of a mask's pixels mean: 256 class indices, {@link voidPixel} where they do not count, -1 where they are none. */
export type MaskValues = Int16Array;

/** Settings of masks, as a configuration has them. */
interface MaskSettings {
  readonly classes: readonly string[];
  readonly values?: readonly number[] | undefined;
  readonly ignore?: number | undefined;
}

/** @param settings Checked: each class has a value of its own. */
export function maskValues({ classes, values, ignore = voidPixel }: MaskSettings): MaskValues {
  const meanings = new Int16Array(256).fill(-1);
  meanings[ignore] = voidPixel;
  for (const index of classes.keys()) meanings[values?.[index] ?? index] = index;
  return meanings;
}

/** What a mask may hold, for messages: `0, 1, or 255 where a pixel does not count`. */
export function expectedValues(meanings: MaskValues): string {
  const all = [...meanings.keys()];
  const classes = all.filter((value) => at(meanings, value) >= 0 && at(meanings, value) !== voidPixel);
  const ignored = all.filter((value) => at(meanings, value) === voidPixel);
  const shown = classes.length > 10 ? `one of the ${classes.length} classes' values` : classes.join(", ");
  return ignored.length === 0 ? shown : `${shown}, or ${ignored.join()} where a pixel does not count`;
}
