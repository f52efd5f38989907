import type { LearnedNumbers } from "./learned-numbers.ts";

/** Ranges are kept above this: a range of zero has no grid. */
export const rangeFloor = 1e-5;

/**
 * Ranges that learn: the end of the tensor's, or of each output channel's.
 *
 * @param limit What they never grow past; null: nothing.
 */
export const learnedRange = (range: Float64Array, limit: number | null): LearnedNumbers => ({
  name: "range",
  group: "ranges",
  values: range,
  gradient: ({ sums }) => range.map((xMax, index) => sums.range[index]! / xMax),
  hold() {
    const isBelow = range.some((xMax) => xMax < rangeFloor);
    const highest = limit ?? Number.POSITIVE_INFINITY;
    for (const [index, xMax] of range.entries()) range[index] = Math.max(rangeFloor, Math.min(highest, xMax));
    return isBelow;
  },
});
