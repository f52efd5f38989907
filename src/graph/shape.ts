import type { Shape } from "./graph.ts";

/** Number of elements of a shape; 1 for a number. */
export const elementsOf = (shape: Shape): number => shape.reduce((total, size) => total * size, 1);

/** Size of the last axis; 1 for a number. */
export const channelsOf = (shape: Shape): number => shape.at(-1) ?? 1;

/** The shape that two tensors are repeated to, so that their elements meet, aligned at the last axis; null: they do not fit. */
export function commonShape(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) return null;
    return left === 1 ? right : left;
  });
  return sizes.every((size) => size !== null) ? sizes : null;
}
