import { at } from "../../core/elements.ts";
import { isKnown, type Size } from "./sizes.ts";
import { factorSize, type Grouping } from "./value.ts";

/** A part of a factor: the pieces of each one are counted from its slowest. */
interface Piece {
  readonly factor: number;
  readonly piece: number;
}

/** Cuts factors into pieces while they are walked through. */
class Pieces {
  /** By factor, the sizes of its pieces; the batch has none. */
  readonly sizes = new Map<number, number[]>();

  add(factor: number, size: number): Piece {
    const known = this.sizes.get(factor) ?? [];
    this.sizes.set(factor, known);
    known.push(size);
    return { factor, piece: known.length - 1 };
  }

  /** The factors that the pieces make, where axes are made of these. */
  grouping(axes: readonly (readonly Piece[])[]): Grouping {
    const factors: number[] = [];
    const numbers = new Map<number, number>([[0, 0]]);
    for (const factor of [...this.sizes.keys()].toSorted((a, b) => a - b)) {
      numbers.set(factor, factors.length + 1);
      factors.push(...(this.sizes.get(factor) ?? []));
    }
    const numbered = axes.map((axis) => axis.map(({ factor, piece }) => (numbers.get(factor) ?? 0) + piece));
    return normalized({ factors, axes: numbered });
  }
}

/**
 * The same numbers in other sizes, without moving one; null where a size ends inside of a factor that it does not divide.
 *
 * @param dims The file's new shape.
 * @param batch The size of the batch, where the file allows only one: it may be part of a number then.
 */
export function regrouped(value: Grouping, dims: readonly Size[], batch: number | null): Grouping | null {
  const open = value.axes.flat().map((factor) => ({ factor, left: factorSize(value, factor) }));
  const pieces = new Pieces();
  const axes: Piece[][] = [];
  const takeBatch = (axis: Piece[]) => {
    open.shift();
    axis.push({ factor: 0, piece: 0 });
  };
  for (const dim of dims) {
    const axis: Piece[] = [];
    axes.push(axis);
    let rest = isKnown(dim) ? dim : dim.batches;
    let wantsBatch = !isKnown(dim);
    // Of a given size of 1, the batch may be any axis of size 1: the first.
    if (isKnown(dim) && open[0]?.factor === 0 && batch !== null && dim === batch) {
      takeBatch(axis);
      continue;
    }
    while (rest > 1 || wantsBatch) {
      const [next] = open;
      if (next === undefined) return null;
      if (!isKnown(next.left)) {
        if (wantsBatch) wantsBatch = false;
        else if (batch !== null && rest % batch === 0) rest /= batch;
        else return null;
        takeBatch(axis);
        continue;
      }
      const size = rest % next.left === 0 ? next.left : next.left % rest === 0 ? rest : null;
      if (size === null || size === 1) return null;
      axis.push(pieces.add(next.factor, size));
      rest /= size;
      next.left /= size;
      if (next.left === 1) open.shift();
    }
  }
  const end = axes.at(-1);
  if (end !== undefined && batch === 1 && open[0]?.factor === 0) takeBatch(end);
  return open.length === 0 ? pieces.grouping(axes) : null;
}

/** Joins factors that every axis has side by side. */
function normalized({ factors, axes }: Grouping): Grouping {
  const isJoined = (factor: number) =>
    factor > 1 && axes.some((axis) => axis.some((one, place) => one === factor && axis[place - 1] === factor - 1));
  const joined: number[] = [];
  const numbers = [0];
  for (const [index, size] of factors.entries()) {
    if (isJoined(index + 1)) joined.push((joined.pop() ?? 1) * size);
    else joined.push(size);
    numbers.push(joined.length);
  }
  return {
    factors: joined,
    axes: axes.map((axis) => axis.filter((factor) => !isJoined(factor)).map((factor) => at(numbers, factor))),
  };
}

/**
 * The same with factors cut where any of `sizes`, which count the same numbers in the order in which they lie, ends;
 * null where one ends inside of a factor that it does not divide.
 */
export function cutAt({ factors, axes }: Grouping, sizes: readonly number[]): Grouping | null {
  const pieces = factors.map((): number[] => []);
  let [factor, left] = [0, factors[0] ?? 1];
  for (const size of sizes) {
    let rest = size;
    while (rest > 1) {
      const step = rest % left === 0 ? left : left % rest === 0 ? rest : null;
      if (step === null || step === 1) return null;
      at(pieces, factor).push(step);
      rest /= step;
      left /= step;
      if (left === 1) left = factors[++factor] ?? 1;
    }
  }
  const firsts = pieces.map((_, index) => 1 + pieces.slice(0, index).flat().length);
  return {
    factors: pieces.flat(),
    axes: axes.map((axis) =>
      axis.flatMap((one) => (one === 0 ? [0] : at(pieces, one - 1).map((_, piece) => at(firsts, one - 1) + piece))),
    ),
  };
}

/** Numbers that lie in the order of the file's axes. */
export function inFileOrder(dims: readonly Size[]): Grouping {
  const pieces = new Pieces();
  const axes = dims.map((dim, axis): Piece[] => {
    const batch = isKnown(dim) ? [] : [{ factor: 0, piece: 0 }];
    const size = isKnown(dim) ? dim : dim.batches;
    return size === 1 ? batch : [...batch, pieces.add(axis + 1, size)];
  });
  return pieces.grouping(axes);
}

/** The same with its factors lying in another order, which names them all but the batch, 0. */
export function withOrder({ factors, axes }: Grouping, order: readonly number[]): Grouping {
  const places = new Map(order.map((factor, place) => [factor, place + 1]));
  return {
    factors: order.map((factor) => at(factors, factor - 1)),
    axes: axes.map((axis) => axis.map((factor) => places.get(factor) ?? 0)),
  };
}

/** The same with the factors of an axis of the file replaced by one of some size, `place` others before it. */
export function withFactor({ factors, axes }: Grouping, axis: number, place: number, size: number): Grouping {
  const before = new Set(at(axes, axis));
  const numbers = new Map<number, number>([[0, 0]]);
  const kept: number[] = [];
  const add = (one: number) => {
    if (one !== 1) kept.push(one);
  };
  let count = 0;
  for (const [index, factor] of factors.entries()) {
    if (before.has(index + 1)) continue;
    if (count++ === place) add(size);
    kept.push(factor);
    numbers.set(index + 1, kept.length);
  }
  if (count <= place) add(size);
  const others = factors.filter((_, index) => !before.has(index + 1));
  const own = size === 1 ? [] : [Math.min(place, others.length) + 1];
  return normalized({
    factors: kept,
    axes: axes.map((one, index) => (index === axis ? own : one.map((factor) => numbers.get(factor) ?? 0))),
  });
}

/** The same with an axis of the file, whose factors lie last, of another size. */
export const withLast = (value: Grouping, axis: number, size: number): Grouping =>
  withFactor(value, axis, value.factors.length, size);
