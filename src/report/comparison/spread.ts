import { square } from "../../core/powers.ts";
/** Several runs' figure: where they lie and how far apart. */
export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  /** Sample standard deviation; null of a single run. */
  readonly deviation: number | null;
  readonly count: number;
}

/** @throws RangeError of no values. */
export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  if (count === 0) throw new RangeError("the spread of no values");
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + square(value - mean), 0);
  return {
    mean,
    least: Math.min(...values),
    most: Math.max(...values),
    deviation: count === 1 ? null : Math.sqrt(squares / (count - 1)),
    count,
  };
}
