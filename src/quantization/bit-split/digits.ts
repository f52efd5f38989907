/**
 * A b-bit symmetric code is b-1 ternary digits, most significant first: code = Σ_i p_i·2^(b-2-i), p_i in {-1, 0, 1}
 * (Wang et al. 2020, "bit-split"). A plane holds one digit of every weight.
 */
import { first } from "../../core/elements.ts";
export type Planes = readonly Int8Array[];

/** The digits of |code| in base 2, with the code's sign. */
export function split(codes: ArrayLike<number>, bits: number): Planes {
  return Array.from({ length: bits - 1 }, (_, plane) =>
    Int8Array.from(codes, (code) => Math.sign(code) * ((Math.abs(code) >> (bits - 2 - plane)) & 1)),
  );
}

/** The codes that digits add up to; several digits give the same code. */
export function stitch(planes: Planes): Int32Array {
  return Int32Array.from(first(planes), (_, index) => planes.reduce((code, plane) => 2 * code + plane[index]!, 0));
}

/**
 * The scale with the binary point after the first digit, in which the method is written: weight = alpha·Σ_i p_i/2^i.
 * alpha = step·2^(b-2).
 */
export const pointShift = (bits: number): number => 2 ** (bits - 2);
