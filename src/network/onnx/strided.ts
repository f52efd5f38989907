import { at } from "../../core/elements.ts";
import { elementsOf } from "../../graph/shape.ts";

/** Elements of an array as a tensor of other sizes sees them; a stride of 0 repeats. */
export interface View {
  readonly sizes: readonly number[];
  /** How far apart neighbours along each axis are. */
  readonly strides: readonly number[];
  readonly start: number;
}

/** How far apart neighbours along each axis of a tensor are. */
export const stridesOf = (dims: readonly number[]): number[] => dims.map((_, axis) => elementsOf(dims.slice(axis + 1)));

/** Visits a view's elements in order: where each stands in the array, and how many came before it. */
export function walk({ sizes, strides, start }: View, visit: (from: number, to: number) => void): void {
  const elements = elementsOf(sizes);
  const position = sizes.map(() => 0);
  let from = start;
  for (let to = 0; to < elements; to++) {
    visit(from, to);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      position[axis]!++;
      if (position[axis]! < sizes[axis]!) break;
      from -= strides[axis]! * sizes[axis]!;
      position[axis] = 0;
    }
  }
}

/** Where the element stands in the array that a view sees after so many others. */
export const placesOf =
  ({ sizes, strides, start }: View): ((index: number) => number) =>
  (index) => {
    let [rest, place] = [index, start];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      place += (rest % at(sizes, axis)) * at(strides, axis);
      rest = Math.floor(rest / at(sizes, axis));
    }
    return place;
  };

/** A tensor with its axes in another order: axis i of the view is axis `order[i]` of `dims`. */
export function permuted(dims: readonly number[], order: readonly number[]): View {
  const strides = stridesOf(dims);
  return { sizes: order.map((axis) => dims[axis]!), strides: order.map((axis) => strides[axis]!), start: 0 };
}

/** Numbers of a tensor with its axes in another order. */
export function permute(values: Float32Array, dims: readonly number[], order: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  walk(permuted(dims, order), (from, to) => {
    result[to] = values[from]!;
  });
  return result;
}

/** A tensor repeated along its axes of size 1 to `sizes`, aligned at the ends; null where it does not fit. */
export function broadcast(dims: readonly number[], sizes: readonly number[]): View | null {
  const missing = sizes.length - dims.length;
  if (missing < 0) return null;
  const steps = stridesOf(dims);
  const strides = sizes.map((size, axis) => {
    const own = dims[axis - missing] ?? 1;
    return own === 1 ? 0 : own === size ? steps[axis - missing]! : null;
  });
  return strides.every((stride) => stride !== null) ? { sizes, strides, start: 0 } : null;
}
