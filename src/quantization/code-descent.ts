import { addColumn, type ChannelSums, imageOf } from "./channel-sums.ts";

/** A change must lower the error by more than the rounding noise of the sums, or the passes would not end. */
const NOISE = 1e-12;
const MOST_PASSES = 100;

/** What the codes of one channel may be, [inputs] each. */
export interface CodeBounds {
  readonly lowest: ArrayLike<number>;
  readonly highest: ArrayLike<number>;
}

/** What descends; all of it is changed in place. */
export interface DescendingCodes {
  readonly codes: Int32Array;
  /** products·codes, where it is known. */
  readonly image?: Float64Array;
}

/**
 * Lowers |y - X·step·code|² by single changes of ±1, in the order of the inputs, until none helps; the codes are
 * changed in place. With the grid's ends as bounds it is the final pass over Bit-Split's codes, with floor and ceiling as
 * bounds the greedy flips after AdaRound.
 *
 * @returns how many changes were made.
 */
export function descendCodes(
  { products, cross, energy }: ChannelSums,
  { codes, image = imageOf(products, codes) }: DescendingCodes,
  step: number,
  { lowest, highest }: CodeBounds,
): number {
  const inputs = codes.length;
  let changes = 0;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = changes;
    for (let n = 0; n < inputs; n++) {
      // Cost of a change by ±1: step²·diagonal ± slope.
      const slope = 2 * step * (step * image[n]! - cross[n]!);
      const by = slope > 0 ? -1 : 1;
      const code = codes[n]! + by;
      const cost = step * step * products[n * inputs + n]! - Math.abs(slope);
      if (!(cost < -NOISE * energy) || code < lowest[n]! || code > highest[n]!) continue;
      codes[n] = code;
      addColumn(image, products, n, by);
      changes++;
    }
    if (changes === before) break;
  }
  return changes;
}

/** The least-squares step <y, X code>/<X code, X code>; `otherwise` where that has no positive value. */
export function fittedStep(
  { products, cross }: ChannelSums,
  { codes, image = imageOf(products, codes) }: Readonly<DescendingCodes>,
  otherwise: number,
): number {
  let fit = 0;
  let square = 0;
  for (let n = 0; n < codes.length; n++) {
    fit += codes[n]! * cross[n]!;
    square += codes[n]! * image[n]!;
  }
  return fit > 0 && square > 0 ? fit / square : otherwise;
}
