import { UsageError } from "../core/errors.ts";
import { distinctWidths, type WeightWidths, weightWidths, widthsText } from "../quantization/weight-widths.ts";
import { type WeightSite, weightKey } from "./weight-site.ts";

/**
 * Widths that were asked for, by weight: layers that read one weight share its bits.
 *
 * @throws UsageError where two of them are to have other bits, or there is not a width for each output channel.
 */
export function givenWidths(
  sites: readonly WeightSite[],
  bitsOf: (name: string) => WeightWidths | null,
  file: string,
): ReadonlyMap<string, WeightWidths> {
  const widths = new Map<string, { readonly bits: WeightWidths; readonly layer: string }>();
  for (const site of sites) {
    const bits = bitsOf(site.name);
    if (bits === null) continue;
    if (typeof bits !== "number") refuseMisfit(site, bits, file);
    const known = widths.get(weightKey(site));
    if (known !== undefined && widthsText(known.bits) !== widthsText(bits)) {
      throw new UsageError(
        `${file}: the layers ${JSON.stringify(known.layer)} and ${JSON.stringify(site.name)} read one weight, and are to have ${bitsText(known.bits)} and ${bitsText(bits)} bits: give both the same`,
      );
    }
    widths.set(weightKey(site), known ?? { bits, layer: site.name });
  }
  return new Map(Array.from(widths, ([key, { bits }]) => [key, typeof bits === "number" ? bits : weightWidths(bits)]));
}

function refuseMisfit({ name, layout: { dims, axis } }: WeightSite, bits: readonly unknown[], file: string): void {
  const channels = dims[axis] ?? 1;
  if (bits.length === channels) return;
  throw new UsageError(
    `${file}: bits.layers gives the layer ${JSON.stringify(name)} ${bits.length} widths, and its weight of ${dims.join("×")} has ${channels} output channels: give one for each, or one number for all`,
  );
}

const bitsText = (bits: WeightWidths): string => distinctWidths(bits).join(" or ");
