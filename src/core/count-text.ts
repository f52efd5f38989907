/** A count with commas: 1,234,567. */
export const countText = (count: number): string => count.toLocaleString("en-US");
