import type { Shape } from "./graph.ts";

/** Number of elements of a shape. */
export const elementsOf = (shape: Shape): number => shape.reduce((total, size) => total * size, 1);
