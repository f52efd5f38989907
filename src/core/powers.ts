/**
 * Powers that are the same numbers on every version of Node. V8's `**` is not: up to Node 22 it has its own code, from
 * 24 on the C library's. What it makes of 2 ** n is exact on both; `exp` and `log` are V8's own code in all of them.
 */

/** x · x. */
export const square = (x: number): number => x * x;

/** `base` to the power of a whole number from 0 on, by squaring: some `exponent` / 2 units in the last place at most. */
export function wholePower(base: number, exponent: number): number {
  let [result, factor] = [1, base];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/** `base` (0 or larger) to any power larger than 0. */
export const power = (base: number, exponent: number): number => Math.exp(exponent * Math.log(base));

/** 10 to the power of a whole number, as that number is written. */
export const powerOfTen = (exponent: number): number => Number(`1e${exponent}`);
