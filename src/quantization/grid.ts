import type { GridBits } from "./levels.ts";

/** A tensor's range: [-xMax, xMax] when signed, [0, xMax] otherwise. */
export interface Range {
  readonly xMax: number;
  readonly signed: boolean;
}

/**
 * Step of the grid with `bits` bits: (x_max - x_min)/(2^bits - 1). The chain s_2, s_4 = s_2/(2^2+1), s_8 = s_4/(2^4+1)
 * … of docs/method.md, "Quantizer", is the same, as (2^b - 1)(2^b + 1) = 2^2b - 1.
 */
export const stepSize = (bits: GridBits, { xMax, signed }: Range): number =>
  (signed ? 2 * xMax : xMax) / (2 ** bits - 1);

/** Outermost codes: ±(2^(bits-1) - 1) when signed (the grid is symmetric), 0…2^bits - 1 otherwise. */
export function codeLimits(bits: GridBits, signed: boolean): readonly [lowest: number, highest: number] {
  const highest = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return [signed ? -highest : 0, highest];
}

/** Rounds to the nearest integer, halves to the even one. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Integer codes of `values` on the grid: round(x/s), halves to even, clamped to the outermost codes. */
export function encode(values: ArrayLike<number>, bits: GridBits, range: Range): Int32Array {
  const step = stepSize(bits, range);
  const [lowest, highest] = codeLimits(bits, range.signed);
  const codes = new Int32Array(values.length);
  for (let index = 0; index < codes.length; index++) {
    codes[index] = Math.min(highest, Math.max(lowest, roundHalfEven(values[index]! / step)));
  }
  return codes;
}
