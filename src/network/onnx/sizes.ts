import { elementsOf } from "../../graph/shape.ts";
import { Damaged, Unsupported } from "./problems.ts";

/** So many times the size of the batch, which is not known. */
export interface Batches {
  readonly batches: number;
}

/** A size of the file, or any integer that is computed of its sizes. */
export type Size = number | Batches;

/** The size of the batch. */
export const oneBatch: Batches = { batches: 1 };

export const isKnown = (size: Size): size is number => typeof size === "number";

/** How messages name a size. */
export function sizeText(size: Size | null): string {
  if (size === null) return "?";
  if (isKnown(size)) return String(size);
  return size.batches === 1 ? "batch" : `${size.batches}·batch`;
}

export const sizesText = (sizes: readonly (Size | null)[]): string => sizes.map(sizeText).join(", ");

/** a·b, a/b and so on of sizes: where one of them is of the batch, only some are known. */
export const sizeArithmetic = {
  multiply: (a: Size, b: Size): Size => productOf([a, b]),
  divide(a: Size, b: Size): Size {
    if (isKnown(a) && isKnown(b)) return a / b;
    if (!isKnown(b)) return isKnown(a) ? refuse() : a.batches / b.batches;
    const batches = isKnown(a) ? refuse() : a.batches / b;
    return Number.isInteger(batches) ? { batches } : refuse();
  },
  // The batch has one sample at least.
  equals(a: Size, b: Size): Size {
    if (isKnown(a) && isKnown(b)) return a === b ? 1 : 0;
    if (!isKnown(a) && !isKnown(b)) return a.batches === b.batches ? 1 : 0;
    const known = isKnown(a) ? a : isKnown(b) ? b : 0;
    return known < 1 ? 0 : refuse();
  },
} as const;

function refuse(): never {
  throw new Unsupported("it computes with the size of the batch");
}

/** The product of sizes. @throws Unsupported at the square of the batch. */
export function productOf(sizes: readonly Size[]): Size {
  const open = sizes.filter((size) => !isKnown(size)).length;
  if (open > 1) throw new Unsupported("it computes with the square of the batch's size");
  const number = elementsOf(sizes.map((size) => (isKnown(size) ? size : size.batches)));
  return open === 0 ? number : { batches: number };
}

/** @throws Unsupported where the size of the batch is among them. */
export const knownSizes = (sizes: readonly Size[]): readonly number[] =>
  sizes.map((size) => {
    return isKnown(size) ? size : refuse();
  });

/** Sizes of a Reshape with -1 worked out, and 0 copied from the axis that stands there. */
export function resolved(
  wanted: readonly Size[],
  from: readonly Size[],
  copies: boolean,
  batch: number | null,
): Size[] {
  const copied = wanted.map((size, index) => (size === 0 && copies ? (from[index] ?? 0) : size));
  const whole = productOf(from);
  const rest = productOf(copied.filter((size) => size !== -1));
  const sizes = copied.map((size) => (size === -1 ? quotient(whole, rest, batch) : size));
  const fits = sizes.every((size) => size !== null && isSize(size)) && copied.filter((size) => size === -1).length <= 1;
  const known = sizes.flatMap((size) => size ?? []);
  if (!fits || !isSame(productOf(known), whole, batch)) {
    throw new Damaged(`its shape is [${sizesText(wanted)}], it reads [${sizesText(from)}]`);
  }
  return known;
}

function isSize(size: Size): boolean {
  const number = isKnown(size) ? size : size.batches;
  return Number.isInteger(number) && number > 0;
}

/** @param batch The file's own, where it allows only one. */
function quotient(a: Size, b: Size, batch: number | null): Size | null {
  if (isKnown(a)) return isKnown(b) ? a / b : null;
  if (!isKnown(b)) return a.batches / b.batches;
  // Where the batch's size is given, what divides it may have taken that for a number.
  const number = { batches: a.batches / b };
  return batch === null || Number.isInteger(number.batches) ? number : (a.batches * batch) / b;
}

function isSame(a: Size, b: Size, batch: number | null): boolean {
  const number = (size: Size) => (isKnown(size) ? size : size.batches * (batch ?? 1));
  return number(a) === number(b) && (batch !== null || isKnown(a) === isKnown(b));
}
