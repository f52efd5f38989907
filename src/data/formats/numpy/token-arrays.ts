import { UserError } from "../../../core/errors.ts";
import { bytesOf } from "../../sample-numbers.ts";
import { elementBytes, elementKind, type NpyHeader, readNumbers } from "./npy.ts";
import type { NpyArray } from "./npz.ts";

/** Tokens that a vocabulary has at most. */
const mostTokens = 2 ** 24;

/** Whether an array holds numbers of tokens, [texts, tokens]: integers that are no pixels. */
export const isTokens = ({ type, shape }: NpyHeader): boolean =>
  elementKind(type) === "integers" && type !== "|u1" && shape.length === 2 && !shape.includes(0);

/** Bytes of an element of such an array. */
export const tokenBytes = ({ type }: NpyHeader): number => elementBytes(type);

/**
 * The numbers as texts are held, and the least vocabulary that has them.
 *
 * @throws UserError at the first that is no number of a token.
 */
export function tokenValues({ bytes, type, shape, place }: NpyArray): {
  readonly images: Uint8Array;
  readonly vocabulary: number;
} {
  const numbers = readNumbers(bytes, type);
  const wrong = numbers.findIndex((token) => token < 0 || token >= mostTokens);
  if (wrong >= 0) {
    throw new UserError(
      `cannot read ${place}: token ${numbers[wrong]} of text ${Math.floor(wrong / (shape[1] ?? 1))}, expected 0, padding, to ${mostTokens - 1}`,
    );
  }
  const largest = numbers.reduce((most, token) => Math.max(most, token), 0);
  return { images: bytesOf(Int32Array.from(numbers)), vocabulary: largest + 1 };
}
