import { first } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { distinctWidths, type WeightWidths, widthOf } from "../quantization/weight-widths.ts";
import type { SolvedSite } from "./solve-site.ts";
import { around, type WeightLayout } from "./weight-site.ts";

/**
 * Each output channel from what was found at its width: methods solve channels one by one, on steps of their own.
 *
 * @param at What was found at each width that occurs, of the layout's sizes, in the tensor's order.
 */
export function mixedRows<T extends Float32Array | Int32Array>(
  layout: WeightLayout,
  widths: WeightWidths,
  at: ReadonlyMap<number, T>,
): T {
  const [outer, channels, inner] = around(layout);
  const sources = Array.from({ length: channels }, (_, channel) => lookup(at, widthOf(widths, channel)));
  // A typed array's slice is of its kind.
  const mixed = lookup(at, first(distinctWidths(widths))).slice() as T;
  for (let block = 0, index = 0; block < outer; block++) {
    for (let channel = 0; channel < channels; channel++) {
      const source = sources[channel]!;
      for (const end = index + inner; index < end; index++) mixed[index] = source[index]!;
    }
  }
  return mixed;
}

/** A weight whose channels have widths of their own, of what was found of all of them at each. */
export function mixedSite(solved: ReadonlyMap<WeightBits, SolvedSite>, widths: WeightWidths): SolvedSite {
  const { site, ...one } = lookup(solved, first(distinctWidths(widths)));
  if (typeof widths === "number") return { site, ...one };
  const of = <T>(part: (solved: SolvedSite) => T) => new Map(Array.from(solved, ([bits, own]) => [bits, part(own)]));
  return {
    ...{ ...one, site, bits: widths },
    codes: mixedRows(
      site.layout,
      widths,
      of(({ codes }) => codes),
    ),
    steps: one.steps.map((_, channel) => lookup(solved, widthOf(widths, channel)).steps[channel] ?? 1),
  };
}
