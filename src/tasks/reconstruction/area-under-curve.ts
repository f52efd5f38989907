/**
 * Area under the receiver operating characteristic: how likely a positive sample has a larger score than a negative one, ties
 * half (Mann and Whitney, 1947). 1/2 where there are none of either.
 */
export function areaUnderCurve(positive: readonly number[], negative: readonly number[]): number {
  if (positive.length === 0 || negative.length === 0) return 0.5;
  const sorted = Float64Array.from(negative).sort();
  const larger = positive.reduce((sum, score) => {
    const [below, upTo] = [countBelow(sorted, score, false), countBelow(sorted, score, true)];
    return sum + (below + upTo) / 2;
  }, 0);
  return larger / (positive.length * negative.length);
}

/** How many of rising values are below a limit, or at most that. */
function countBelow(values: Float64Array, limit: number, orEqual: boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = values[middle] ?? 0;
    if (value < limit || (orEqual && value === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}
