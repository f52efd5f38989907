/** A class by its name, or where it has none by its number. */
export const nameOf = (classes: readonly string[], index: number): string => classes[index] ?? String(index);
