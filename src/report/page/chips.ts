import { share } from "./format.ts";
import { type Markup, markup } from "./markup.ts";

/** Every bit-width that a tensor can show; 0: pruned away. */
export const bitWidths = [0, 2, 3, 4, 8, 16, 32] as const;

export type BitWidth = (typeof bitWidths)[number];

/** A bit-width in its colour, which is the same everywhere in the page. The number says it too. */
export const bitChip = (bits: BitWidth, text = String(bits)): Markup =>
  markup`<span class="bits b${bits}">${text}</span>`;

/** The CSS colour of a bit-width, for fills in SVG. */
export const bitColour = (bits: BitWidth): string => `var(--bits-${bits})`;

/** How much is left, as a bar; the numbers beside it say the same, so it is hidden from screen readers. */
export const keptBar = (kept: number, of: number): Markup =>
  markup`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" fill="var(--bits-0)"/><rect width="${share(kept, of).toFixed(1)}" height="6" fill="var(--kept)"/></svg>`;
