/** Where the categories of a chart lie: pixels of the first and the last in its drawing, and their number. */
export interface Axis {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** The index of `count` that is nearest to a position counted in indices. */
export const nearest = (position: number, count: number): number =>
  Math.max(0, Math.min(count - 1, Math.round(position)));

/** Pixel of a category. */
export const pixelOf = ({ first, last, count }: Axis, index: number): number =>
  count > 1 ? first + ((last - first) * index) / (count - 1) : first;

/** The category that is nearest to a pixel. */
export const indexAt = ({ first, last, count }: Axis, pixel: number): number =>
  nearest(count > 1 ? ((pixel - first) / (last - first)) * (count - 1) : 0, count);

/** The cell of a strip, `count` cells in `width` pixels, that a pixel lies in. */
export const cellAt = (pixel: number, width: number, count: number): number =>
  nearest(Math.floor((pixel / width) * count), count);

/**
 * Where an arrow key, Home or End leads from index `at`; null for any other key.
 *
 * @param columns Of values in rows, how many are in each: keys up and down go from row to row.
 */
export function indexAfter(key: string, at: number, count: number, columns = 1): number | null {
  // Where no value is told yet, the first is.
  const by = (steps: number) => (at < 0 ? 0 : at + steps < 0 || at + steps >= count ? at : at + steps);
  switch (key) {
    case "ArrowRight":
      return by(1);
    case "ArrowDown":
      return by(columns);
    case "ArrowLeft":
      return by(-1);
    case "ArrowUp":
      return by(-columns);
    case "Home":
      return 0;
    case "End":
      return nearest(count - 1, count);
    default:
      return null;
  }
}
