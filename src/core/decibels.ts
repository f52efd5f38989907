/** Of a ratio of powers. */
export const decibels = (ratio: number): number => 10 * Math.log10(ratio);
