import { at } from "../core/elements.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

/** Ranges are kept above this, or above a share of a small tensor's first range: a range of zero has no grid. */
export const rangeFloor = 1e-5;
const SHARE = 1e-3;

/** What the ranges of a tensor are kept above; `largest` is the largest magnitude in it before training. */
export const floorFor = (largest: number): number => Math.min(rangeFloor, SHARE * largest);

/** Of a tensor that is so much smaller than those that learn at the whole rate, or more, steps are the same share. */
const FAR_SMALLER = 1 / 32;

/**
 * The share of the learning rate that a tensor with this floor learns at. An optimizer's steps are as long as the
 * learning rate: a tenth of the largest weight where that is 0.01 and the rate 0.001, as it is in wide layers, and too
 * long for what was trained at another scale, whose steps come down to the 0.3 % that weights of 0.3 take.
 */
export function rateFor(floor: Float64Array): number {
  const size = Math.min(1, at(floor, 0) / rangeFloor);
  return size * Math.max(size, FAR_SMALLER);
}

/**
 * Ranges that learn: the end of the tensor's, or of each output channel's.
 *
 * @param limit What they never grow past; null: nothing.
 * @param floor What they never shrink below.
 */
export const learnedRange = (
  range: Float64Array,
  { limit, floor }: { readonly limit: number | null; readonly floor: Float64Array },
): LearnedNumbers => ({
  name: "range",
  group: "ranges",
  values: range,
  rate: () => rateFor(floor),
  gradient: ({ sums }) => range.map((xMax, index) => sums.range[index]! / xMax),
  hold() {
    const lowest = at(floor, 0);
    const isBelow = range.some((xMax) => xMax < lowest);
    const highest = limit ?? Number.POSITIVE_INFINITY;
    for (const [index, xMax] of range.entries()) range[index] = Math.max(lowest, Math.min(highest, xMax));
    return isBelow;
  },
});
