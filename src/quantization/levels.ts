import { mean } from "../core/mean.ts";

/** The bit-widths a tensor can learn. */
export const bitWidths = [2, 4, 8, 16, 32] as const;
export type BitWidth = (typeof bitWidths)[number];

/** The bit-widths that a tensor can end up with: post-training methods also give weights 3 bits. */
export type GridBits = BitWidth | 3;

/** The bit-widths that are stored as integers. */
export type IntegerWidth = Exclude<BitWidth, 32>;

/** The bit-width of an output channel of a weight; 0 where it is pruned. */
export type ChannelBits = BitWidth | 0;

/** The widest of some channels; that of a weight whose channels are all pruned is 2. */
export const widest = (bits: readonly ChannelBits[]): BitWidth =>
  bits.reduce<BitWidth>((widest, bits) => (bits !== 0 && bits > widest ? bits : widest), bitWidths[0]);

/** The mean of the channels that are kept; null where none is. */
export function meanBits(bits: readonly ChannelBits[]): number | null {
  const kept = bits.filter((width) => width !== 0);
  return kept.length === 0 ? null : mean(kept);
}

/** Bits that an element of a grid takes in a file: codes of 3 bits are stored in 4. */
export const storedBits = <B extends GridBits>(bits: B): Exclude<B, 3> | 4 =>
  bits === 3 ? 4 : (bits as Exclude<B, 3>);

/** The levels above 2 bits, each with a gate of its own. */
export const gatedWidths = [4, 8, 16, 32] as const;

/** One number per gated level, in the order 4, 8, 16, 32 bits. */
export type PerGate<T> = readonly [T, T, T, T];

/** One number per gated level, made in that order. */
export const perGate = <T>(of: (gate: number) => T): PerGate<T> => [of(0), of(1), of(2), of(3)];

/** Factor of the range's ends, so that no value rounds one step past the grid. */
export const clipFactor = 1 - 1e-7;
