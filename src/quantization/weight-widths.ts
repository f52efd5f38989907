import { at } from "../core/elements.ts";
import { mean } from "../core/mean.ts";
import { channelBytes } from "./channel-bytes.ts";
import { storedBits } from "./levels.ts";
import { type WeightBits, weightBits } from "./weight-grid.ts";

/** Bits of a weight: those of all its output channels, or of each. */
export type WeightWidths = WeightBits | readonly WeightBits[];

/** One width where all channels have the same. */
export function weightWidths(channels: readonly WeightBits[]): WeightWidths {
  const [first] = channels;
  return first !== undefined && channels.every((bits) => bits === first) ? first : channels;
}

/** Bits of an output channel. */
export const widthOf = (widths: WeightWidths, channel: number): WeightBits =>
  typeof widths === "number" ? widths : at(widths, channel);

/** Bits of an output channel on average. */
export const meanWidth = (widths: WeightWidths): number => (typeof widths === "number" ? widths : mean(widths));

/** Those of the widest channel. */
export const widestWidth = (widths: WeightWidths): WeightBits =>
  typeof widths === "number" ? widths : widths.reduce((widest, bits) => (bits > widest ? bits : widest), 2);

/** The widths that occur, ascending. */
export const distinctWidths = (widths: WeightWidths): readonly WeightBits[] =>
  typeof widths === "number" ? [widths] : [...new Set(widths)].sort((one, other) => one - other);

/** A digit for each output channel; one for all of them. */
export const widthsText = (widths: WeightWidths): string =>
  typeof widths === "number" ? String(widths) : widths.join("");

/** Reads what `widthsText` gives. @throws RangeError for a digit that is no width. */
export const parseWidths = (text: string): WeightWidths =>
  weightWidths(
    Array.from(text, (digit) => {
      const bits = weightBits.find((known) => String(known) === digit);
      if (bits === undefined) throw new RangeError(`a weight has 2, 3, 4 or 8 bits, got ${digit}`);
      return bits;
    }),
  );

/**
 * Bytes of a weight's packed codes, and of the order of its rows where they have widths of their own. Its steps are those
 * of any widths.
 */
export function widthBytes(widths: WeightWidths, numbers: number): number {
  if (typeof widths === "number") return (numbers * storedBits(widths)) / 8;
  const { codes, order } = channelBytes(widths, numbers / widths.length);
  return codes + order;
}
