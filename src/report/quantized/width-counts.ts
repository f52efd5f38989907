import { mean } from "../../core/mean.ts";
import type { HarmTable } from "../../ptq/harm-table.ts";
import { integer, significant } from "../page/format.ts";

/** How many activations have each width: "3 at 8 bits, 1 at 16 bits". */
export function widthCounts(bits: readonly number[]): string {
  const widths = [...new Set(bits)].sort((one, other) => one - other);
  return widths.map((width) => `${integer(bits.filter((own) => own === width).length)} at ${width} bits`).join(", ");
}

/** The same of weights, those apart whose output channels have widths of their own: "1 at 8 bits, 2 by channel (3.21 bits)". */
export function weightCounts({ weights }: HarmTable, bits: readonly number[]): string {
  const isMixed = (own: number, item: number) =>
    weights[item]?.choices.some((choice) => choice.bits === own && choice.channelBits !== undefined) ?? false;
  const mixed = bits.filter(isMixed);
  const whole = bits.filter((own, item) => !isMixed(own, item));
  const byChannel =
    mixed.length === 0 ? [] : [`${integer(mixed.length)} by channel (${significant(mean(mixed))} bits)`];
  return [...(whole.length === 0 ? [] : [widthCounts(whole)]), ...byChannel].join(", ");
}
