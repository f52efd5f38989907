import type { Shape } from "./graph.ts";

/** Number of elements of a shape; 1 for a number. */
export const elementsOf = (shape: Shape): number => shape.reduce((total, size) => total * size, 1);

/** Size of the last axis; 1 for a number. */
export const channelsOf = (shape: Shape): number => shape.at(-1) ?? 1;
