import { bitChip, bitWidths } from "../page/chips.ts";
import { significant } from "../page/format.ts";
import type { Markup } from "../page/markup.ts";

/** A bit-width in its colour; one that has none, as the mean of several, as a number. */
export function bitsChip(bits: number): Markup | string {
  const width = bitWidths.find((known) => known === bits);
  return width === undefined ? significant(bits) : bitChip(width);
}
