import { storedBits } from "./levels.ts";

/** Bits that a row's elements take in a file: 4 for a grid of 3 bits, 0 for a row that is all zeros. */
export type RowBits = 0 | 2 | 4 | 8 | 16;

/** Rows of one width, which lie together in a file, packed without gaps. */
export interface RowGroup {
  readonly bits: RowBits;
  /** Indices of its output channels, ascending. */
  readonly rows: readonly number[];
}

/** A weight's rows, one for each output channel, sorted by width. */
export interface RowGroups {
  /** In the order in which their widths first occur, so that rows which lie in runs already stay in place. */
  readonly groups: readonly RowGroup[];
  /** For each output channel, its place among the rows of all groups, one group behind the other; null: its own. */
  readonly order: Uint32Array | null;
}

/** Most channels whose places take one byte each, and two. */
const [BYTE_PLACES, SHORT_PLACES] = [2 ** 8, 2 ** 16];

/**
 * Rows of one width together. Widths [2, 8, 4, 3]: groups of 2 bits [0], 8 bits [1] and 4 bits [2, 3], in order already;
 * [2, 8, 2]: 2 bits [0, 2] and 8 bits [1], and the order [0, 2, 1].
 *
 * @param widths Of each output channel: 0, 2, 3, 4, 8 or 16.
 */
export function rowGroups(widths: ArrayLike<number>): RowGroups {
  const rows = new Map<RowBits, number[]>();
  for (let channel = 0; channel < widths.length; channel++) {
    const bits = rowBits(widths[channel]!);
    const group = rows.get(bits);
    if (group === undefined) rows.set(bits, [channel]);
    else group.push(channel);
  }
  const order = new Uint32Array(widths.length);
  let place = 0;
  for (const group of rows.values()) for (const channel of group) order[channel] = place++;
  return {
    groups: Array.from(rows, ([bits, rows]) => ({ bits, rows })),
    order: order.every((place, channel) => place === channel) ? null : order,
  };
}

/** Bits that each place of an order takes in a file. */
export const placeBits = (channels: number): 8 | 16 | 32 =>
  channels <= BYTE_PLACES ? 8 : channels <= SHORT_PLACES ? 16 : 32;

const rowWidths = [0, 2, 3, 4, 8, 16] as const;

/** Learned bits of an output channel of a weight on a grid; 0: it is all zeros. */
export type RowWidth = (typeof rowWidths)[number];

/** @throws RangeError for what is no width of a row. */
export function rowWidth(width: number): RowWidth {
  const found = rowWidths.find((known) => known === width);
  if (found === undefined) throw new RangeError(`a row has 0, 2, 3, 4, 8 or 16 bits, got ${width}`);
  return found;
}

function rowBits(width: number): RowBits {
  const known = rowWidth(width);
  return known === 0 ? 0 : storedBits(known);
}
