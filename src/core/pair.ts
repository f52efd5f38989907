/** A number for rows and one for columns. */
export type Pair = readonly [rows: number, columns: number];

/** Rows and columns that are given as one number where both are the same. */
export type Sides = number | Pair;

export const pairOf = (sides: Sides): Pair => (typeof sides === "number" ? [sides, sides] : sides);

export const isOnes = ([rows, columns]: Pair): boolean => rows === 1 && columns === 1;
