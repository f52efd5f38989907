import { median } from "../../core/median.ts";

/** Half of the values lie nearer to the median than this many times less. */
const far = 10;

/** How much of the axis those that are drawn may take beside all: where it is more, leaving others out gains little. */
const squashed = 1 / 3;

/**
 * Where an axis may begin so that a few values far below the others do not squash them: the least value that is no
 * outlier; null where all may be drawn. Above the others none is too far: those are what one looks for. An outlier lies
 * more than ten times the median distance from the median below it.
 *
 * @param resolution What values differ by without meaning it, as half of an interval.
 */
export function leastDrawn(values: readonly number[], resolution: number): number | null {
  if (values.length < 3) return null;
  const middle = median(values);
  const distance = Math.max(median(values.map((value) => Math.abs(value - middle))), resolution);
  if (distance === 0) return null;
  const most = Math.max(...values);
  const least = Math.min(...values.filter((value) => value >= middle - far * distance));
  const all = most - Math.min(...values);
  return least > Math.min(...values) && Math.max(most - least, resolution) < squashed * all ? least : null;
}
