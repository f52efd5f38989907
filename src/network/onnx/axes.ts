import { Damaged } from "./problems.ts";

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  if (!(axis >= -rank && axis < rank)) throw new Damaged(`its axis is ${axis} of ${rank}`);
  return axis < 0 ? axis + rank : axis;
}
