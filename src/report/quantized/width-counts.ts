import { integer } from "../page/format.ts";

/** How many weights have each width: "3 at 2 bits, 1 at 8 bits". */
export function widthCounts(bits: readonly number[]): string {
  const widths = [...new Set(bits)].sort((one, other) => one - other);
  return widths.map((width) => `${integer(bits.filter((own) => own === width).length)} at ${width} bits`).join(", ");
}
