import { square } from "../core/powers.ts";
import { wilsonInterval } from "./wilson-interval.ts";

/**
 * Newcombe's 95 % hybrid score interval of the difference of two proportions, `one - other`, in points of percent, each of
 * so many trials (R. G. Newcombe, Statistics in Medicine 17, 1998, method 10). The two count as independent: of two
 * networks on the same images, which are mostly right on the same ones, it is wider than a paired interval would be.
 *
 * Example: 56 of 70 and 48 of 80 → [5.24, 33.39].
 */
export function differenceInterval(
  one: number,
  other: number,
  trials: readonly [one: number, other: number],
): readonly [number, number] {
  const [low, high] = wilsonInterval(one, trials[0]);
  const [otherLow, otherHigh] = wilsonInterval(other, trials[1]);
  const difference = one - other;
  return [
    difference - Math.sqrt(square(one - low) + square(otherHigh - other)),
    difference + Math.sqrt(square(high - one) + square(other - otherLow)),
  ];
}
