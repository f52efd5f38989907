import { type Markup, trusted } from "../page/markup.ts";
import { seriesColour } from "./figure.ts";

/** Shapes beside the colours, so that nothing is told by its colour alone; around the origin. */
const shapes = {
  circle: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
  square: "M-4 -4H4V4H-4z",
  diamond: "M0 -5.5L5.5 0L0 5.5L-5.5 0z",
  triangle: "M0 -5L5 4H-5z",
  "triangle down": "M0 5L5 -4H-5z",
  hexagon: "M-5 0L-2.5 -4.5H2.5L5 0L2.5 4.5H-2.5z",
  pentagon: "M0 -5.5L5.2 -1.7L3.2 4.5H-3.2L-5.2 -1.7z",
  cross: "M-1.7 -5H1.7V-1.7H5V1.7H1.7V5H-1.7V1.7H-5V-1.7H-1.7z",
  bar: "M-5 -2.5H5V2.5H-5z",
  star: "M0 -6L1.6 -1.6L6 0L1.6 1.6L0 6L-1.6 1.6L-6 0L-1.6 -1.6z",
} as const;

export type Shape = keyof typeof shapes;

const inOrder: readonly Shape[] = ["circle", "square", "diamond", "triangle"];

/**
 * A mark around the origin.
 *
 * @param colour In CSS.
 * @param filled How much of it is filled, from the middle: 1 all, 0 nothing but its outline.
 */
export const symbol = (shape: Shape, colour: string, filled = 1): Markup =>
  trusted(
    filled === 1
      ? `<path class="frame" d="${shapes[shape]}" fill="${colour}" stroke="var(--paper)" stroke-width="1"/>`
      : `<path class="frame" d="${shapes[shape]}" fill="var(--paper)" stroke="${colour}" stroke-width="1.5"/>${filled > 0 ? `<path d="${shapes[shape]}" fill="${colour}" transform="scale(${filled})"/>` : ""}`,
  );

/** The mark of the n-th kind of what has no mark of its own. */
export const symbolAt = (index: number): Markup =>
  symbol(inOrder[index % inOrder.length] ?? "circle", seriesColour(index));

/** Beside a mark at the edge of a plot: the way to where it belongs. */
export const arrow = (way: "up" | "down"): Markup =>
  trusted(
    `<path d="${way === "down" ? "M-4 7L0 11L4 7" : "M-4 -7L0 -11L4 -7"}" fill="none" stroke="var(--ink)" stroke-width="1.5"/>`,
  );

/** A mark for what others have done. */
export const cross: Markup = trusted(
  '<path class="frame" d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5" fill="none" stroke="var(--ink)" stroke-width="1.75"/>',
);
