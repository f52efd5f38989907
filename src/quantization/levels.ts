/** The bit-widths a tensor can learn. */
export const bitWidths = [2, 4, 8, 16, 32] as const;
export type BitWidth = (typeof bitWidths)[number];

/** The levels above 2 bits, each with a gate of its own. */
export const gatedWidths = [4, 8, 16, 32] as const;

/** One number per gated level, in the order 4, 8, 16, 32 bits. */
export type PerGate<T> = readonly [T, T, T, T];

/** Factor of the range's ends, so that no value rounds one step past the grid. */
export const clipFactor = 1 - 1e-7;
