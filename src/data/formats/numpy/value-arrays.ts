import { first } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { bytesOf } from "../../sample-numbers.ts";
import { elementBytes, elementKind, type NpyHeader, readInto, readNumbers, shapeText } from "./npy.ts";
import type { NpyArray } from "./npz.ts";

/** Whether an array holds samples of numbers: floats, of what is measured or was computed, not pixels. */
export const isValues = ({ type }: NpyHeader): boolean => elementKind(type) === "floats";

/** Bytes of an element of such an array while it is read. @throws UserError where a sample has no numbers. */
export function valueBytes({ type, shape }: NpyHeader, place: string): number {
  if (shape.length < 2 || shape.includes(0)) {
    throw new UserError(
      `cannot read ${place}: shape ${shapeText(shape)}, expected (samples, …): an axis of samples, and one or more of their numbers`,
    );
  }
  return elementBytes(type);
}

/**
 * The numbers as samples are held, in float32.
 *
 * @throws UserError at the first that is not finite there.
 */
export function valueSamples({ bytes, type, shape, place }: NpyArray): Uint8Array {
  const size = elementBytes(type);
  const numbers = readInto(new Float32Array(bytes.length / size), bytes, type);
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return bytesOf(numbers);
  const sample = Math.floor((wrong * (shape[0] ?? 1)) / numbers.length);
  throw new UserError(
    `cannot read ${place}: sample ${sample} holds ${first(readNumbers(bytes.subarray(wrong * size, (wrong + 1) * size), type))}, expected finite numbers of float32: leave it out, or fill in what is missing`,
  );
}
