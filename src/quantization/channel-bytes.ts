import { placeBits, rowGroups } from "./row-groups.ts";

/** What a weight takes in a file that packs its rows by width. */
export interface ChannelBytes {
  /** Sum over distinct widths of ceil(width · rows · fanIn / 8). */
  readonly codes: number;
  /** One step in float32 for each output channel. */
  readonly steps: number;
  /** A byte for the place of each output channel, two beyond 256 of them, four beyond 65,536; none where rows lie in runs. */
  readonly order: number;
}

/**
 * Bytes of a weight whose output channels have bit-widths of their own. The widths [2, 8, 2] with 9 inputs: 5 bytes of 2
 * bits and 9 of 8, 12 of steps and 3 of the order. With a channel of 32 bits the whole weight is float32.
 *
 * @param widths Of each output channel: 0, 2, 3 (stored in 4), 4, 8, 16 or 32.
 * @param fanIn Weights of one output channel.
 */
export function channelBytes(widths: ArrayLike<number>, fanIn: number): ChannelBytes {
  const channels = widths.length;
  if (Array.prototype.includes.call(widths, 32)) return { codes: 4 * channels * fanIn, steps: 0, order: 0 };
  const { groups, order } = rowGroups(widths);
  const codes = groups.reduce((total, { bits, rows }) => total + Math.ceil((bits * rows.length * fanIn) / 8), 0);
  return { codes, steps: 4 * channels, order: order === null ? 0 : (placeBits(channels) / 8) * channels };
}
