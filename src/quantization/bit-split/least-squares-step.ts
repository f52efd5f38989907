import { roundHalfEven } from "../grid.ts";
import { largestMagnitude } from "../scale-search.ts";
import { clamp, outermostCode } from "../weight-grid.ts";

const MOST_ROUNDS = 100;

/**
 * Codes and step of one channel by alternating least squares on the weights (stage 1 of Bit-Split, `fwa`): codes are
 * nearest for the step, the step is <w, code>/<code, code>. Starts from step = max|w|/(2^(bits-1) - 1) and ends when no
 * code changes, or after 100 rounds. A channel of zeros has codes 0 and step 1.
 */
export function leastSquaresCodes(
  weights: ArrayLike<number>,
  bits: number,
): { readonly codes: Int32Array; readonly step: number } {
  const outermost = outermostCode(bits);
  const codes = new Int32Array(weights.length);
  let step = largestMagnitude(weights) / outermost;
  if (step === 0) return { codes, step: 1 };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let changed = false;
    let product = 0;
    let square = 0;
    for (let index = 0; index < codes.length; index++) {
      const code = clamp(roundHalfEven(weights[index]! / step), -outermost, outermost);
      changed ||= code !== codes[index];
      codes[index] = code;
      product += weights[index]! * code;
      square += code * code;
    }
    if (!changed) break;
    step = product / square;
  }
  return { codes, step };
}

/**
 * Step of an unsigned activation quantizer, codes 0…2^bits - 1, from positive values of the feature map: alternating
 * least squares from max/(2^bits - 1) until the step is one of the last five seen. Without a positive value it is 1.
 */
export function activationStep(values: ArrayLike<number>, bits: number): number {
  const highest = 2 ** bits - 1;
  let step = largestMagnitude(values) / highest;
  if (step === 0) return 1;
  const seen: number[] = [];
  while (!seen.includes(step)) {
    seen.push(step);
    if (seen.length > 5) seen.shift();
    let product = 0;
    let square = 0;
    for (let index = 0; index < values.length; index++) {
      const code = clamp(roundHalfEven(values[index]! / step), 0, highest);
      product += values[index]! * code;
      square += code * code;
    }
    step = product / square;
  }
  return step;
}
