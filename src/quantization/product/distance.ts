/** Blocks side by side, [count, blockSize]. */
type Numbers = Float64Array | Float32Array;

/**
 * The squared distance of two blocks, each the numbers of an array from a place on, or something larger than `atMost` as
 * soon as it is.
 */
export function squaredDistance(
  one: Numbers,
  from: number,
  other: Numbers,
  to: number,
  length: number,
  atMost: number = Number.POSITIVE_INFINITY,
): number {
  let sum = 0;
  for (let row = 0; row < length; row++) {
    const difference = one[from + row]! - other[to + row]!;
    sum += difference * difference;
    if (sum > atMost) return sum;
  }
  return sum;
}

/** Σ of the squares of an array's numbers. */
export const sumOfSquares = (values: Numbers): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
};
