import { seriesColour } from "../charts/figure.ts";
import { type Markup, trusted } from "../page/markup.ts";

/** How results that others have published are named in keys. */
export const published = "published";

/** Shapes beside the colours, so that no method is told by its colour alone. */
const shapes = [
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
  "M-4 -4H4V4H-4z",
  "M0 -5.5L5.5 0L0 5.5L-5.5 0z",
  "M0 -5L5 4H-5z",
];

/** A method's mark, around the origin; published results are crosses. */
export const symbol = (method: string, index: number): Markup =>
  method === published
    ? trusted(
        '<path class="frame" d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5" fill="none" stroke="var(--ink)" stroke-width="1.75"/>',
      )
    : trusted(
        `<path class="frame" d="${shapes[index % shapes.length]}" fill="${seriesColour(index)}" stroke="var(--paper)" stroke-width="1"/>`,
      );
