/** Index of the largest of `length` values from `start` on, counted from `start`; the first of equal ones. */
export function largestIndex(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index++) if (values[start + index]! > values[start + best]!) best = index;
  return best;
}
