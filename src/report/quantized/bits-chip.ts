import { bitChip, bitWidths } from "../page/chips.ts";
import type { Markup } from "../page/markup.ts";

/** A bit-width in its colour; one that has none as a number. */
export function bitsChip(bits: number): Markup | string {
  const width = bitWidths.find((known) => known === bits);
  return width === undefined ? String(bits) : bitChip(width);
}
