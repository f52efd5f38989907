/** Widths that codes are stored in: whole bytes, or several in one. */
const storedWidths = [2, 4, 8, 16] as const;

export type StoredCodeBits = (typeof storedWidths)[number];

/** Bits that tell codewords apart. */
export const codeBits = (codewords: number): number => Math.ceil(Math.log2(codewords));

/** Bits that a code of so many codewords, 65536 at most, takes in a file. */
export const storedCodeBits = (codewords: number): StoredCodeBits =>
  storedWidths.find((bits) => 2 ** bits >= codewords) ?? 16;

/** Bytes of rows of codes, each of which begins with a byte of its own. */
export const codeBytes = (rows: number, columns: number, bits: StoredCodeBits): number =>
  rows * Math.ceil((columns * bits) / 8);
