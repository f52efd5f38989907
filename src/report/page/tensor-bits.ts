import { type ChannelBits, meanBits, bitWidths as widths } from "../../quantization/levels.ts";
import type { LearnedQuantizer, RunResult } from "../../runs/record.ts";
import { type BitWidth, bitChip } from "./chips.ts";
import { significant } from "./format.ts";
import type { Markup } from "./markup.ts";

/** Of a weight whose output channels have several; those that are kept. */
interface SeveralWidths {
  readonly mean: number;
  /** null where the record does not tell it yet. */
  readonly narrowest: BitWidth | null;
  readonly widest: BitWidth;
}

/** Bits of a tensor as pages show them. */
export type TensorBits = BitWidth | SeveralWidths;

/** What a quantizer has learned, 0 where every channel is pruned. @param channels Of its channels, once there is a result. */
export function learnedBits(
  { bits, meanBits: mean = bits, kept }: LearnedQuantizer,
  channels: readonly ChannelBits[] = [],
): TensorBits {
  if (kept === 0) return 0;
  return mean === bits ? bits : { mean, narrowest: narrowest(channels), widest: bits };
}

/** Of a layer's weight at the end. */
export function resultBits({ keptOutputs, weightBits, channelBits = [] }: RunResult["layers"][number]): TensorBits {
  if (keptOutputs === 0) return 0;
  const mean = meanBits(channelBits) ?? weightBits;
  return mean === weightBits ? weightBits : { mean, narrowest: narrowest(channelBits), widest: weightBits };
}

const narrowest = (channels: readonly ChannelBits[]): BitWidth | null =>
  widths.find((width) => channels.includes(width)) ?? null;

export const meanOf = (bits: TensorBits): number => (typeof bits === "number" ? bits : bits.mean);

export const widestOf = (bits: TensorBits): BitWidth => (typeof bits === "number" ? bits : bits.widest);

/** In whose colour it is shown: of several widths that which is nearest to their mean, as a ratio. */
export function shadeOf(bits: TensorBits): BitWidth {
  if (typeof bits === "number") return bits;
  const away = (width: number) => Math.abs(Math.log2(width / bits.mean));
  return widths.reduce((nearest, width) => (away(width) < away(nearest) ? width : nearest));
}

/** `8`; the mean of several: `3.4`. */
export const meanText = (bits: TensorBits): string => significant(meanOf(bits), 2);

/** `2–8 by channel`; null of one width. */
export function rangeText(bits: TensorBits): string | null {
  if (typeof bits === "number") return null;
  const { narrowest, widest } = bits;
  return `${narrowest === null ? "up to " : `${narrowest}–`}${widest} by channel`;
}

/** `8 bits`; `3.4 bits, 2–8 by channel`; `pruned`. */
export function bitsText(bits: TensorBits): string {
  const range = rangeText(bits);
  return bits === 0 ? "pruned" : `${meanText(bits)} bits${range === null ? "" : `, ${range}`}`;
}

/** A mean stands in the colour of the width that is nearest to it. */
export const tensorChip = (bits: TensorBits): Markup => bitChip(shadeOf(bits), meanText(bits));
