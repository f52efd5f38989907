import { storedBits } from "../../quantization/levels.ts";
import { rowGroups } from "../../quantization/row-groups.ts";
import type { IntegerBits, IntegerTensor } from "../frozen-network.ts";

/** How wide a weight's codes are. */
type Widths = Pick<IntegerTensor, "bits" | "channelBits">;

/** Least bits that an element of a file takes: its own, or those of a byte. */
export type LeastBits = 2 | 8;

/** Bits of each output channel where none takes less than `least`; null where all take as many. */
export function widened({ channelBits }: Widths, least: LeastBits): Uint8Array | null {
  if (channelBits === null) return null;
  const wide = least === 2 ? channelBits : channelBits.map((bits) => Math.max(bits, least));
  const { groups } = rowGroups(wide);
  return groups.length === 1 && groups[0]!.bits > 0 ? null : wide;
}

/** Bits that each element takes where all output channels take as many. */
export const widestBits = ({ bits }: Widths, least: LeastBits): IntegerBits =>
  least === 8 && bits < 8 ? 8 : storedBits(bits);

/** What holds a weight's codes, as notes name it: "int8", "int2, int4 and int8". */
export function storedTypes(weight: Widths, least: LeastBits): string {
  const widths = widened(weight, least);
  if (widths === null) return `int${widestBits(weight, least)}`;
  const bits = [...new Set(rowGroups(widths).groups.flatMap(({ bits }) => (bits === 0 ? [] : [bits])))];
  const names = bits.sort((one, other) => one - other).map((bits) => `int${bits}`);
  return names.length === 0 ? "zeros" : new Intl.ListFormat("en-GB").format(names);
}
