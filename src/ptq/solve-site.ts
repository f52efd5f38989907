import type { LayerwiseMethod } from "../config/sections/methods/layerwise-settings.ts";
import { roundHalfEven } from "../quantization/grid.ts";
import { quickStep } from "../quantization/quick-step.ts";
import { largestMagnitude } from "../quantization/scale-search.ts";
import { clamp, rowOf, symmetricCodes, symmetricGrid, type WeightBits } from "../quantization/weight-grid.ts";
import { type WeightWidths, widestWidth, widthOf } from "../quantization/weight-widths.ts";
import { fromRows, toRows, type WeightSite } from "./weight-site.ts";

/** A weight on its grids. */
export interface SolvedSite {
  readonly site: WeightSite;
  /** What found the codes. */
  readonly method: LayerwiseMethod;
  readonly bits: WeightWidths;
  /** In the tensor's order. */
  readonly codes: Int32Array;
  /** For each index of the layout's axis; with blocks, for each block of each index. */
  readonly steps: Float32Array;
}

/**
 * Rounds a site's weight to nearest, on the steps that lose least (BRECQ's measure), of the site's granularity.
 *
 * @param bits Of each output channel where each has a step.
 */
export function roundSite(site: WeightSite, bits: WeightWidths): SolvedSite {
  const { values, inputs } = toRows(site.layout, site.values);
  const { granularity } = site;
  const length = typeof granularity === "number" ? granularity : inputs;
  const widthAt = (row: number) => widthOf(bits, Math.floor((row * length) / inputs));
  const stepOf = (row: Float32Array, width: WeightBits) =>
    symmetricGrid(width, quickStep(row, symmetricCodes(width), largestMagnitude(row))).step;
  const steps = new Float32Array(values.length / length);
  if (granularity === "tensor") steps.fill(stepOf(values, widestWidth(bits)));
  else for (let row = 0; row < steps.length; row++) steps[row] = stepOf(rowOf(values, row, length), widthAt(row));
  // Not `from` with a function: that makes a list of the numbers first.
  const codes = new Int32Array(values.length);
  for (let row = 0; row < steps.length; row++) {
    const step = steps[row]!;
    const { lowest, highest } = symmetricCodes(widthAt(row));
    for (let index = row * length; index < (row + 1) * length; index++)
      codes[index] = clamp(roundHalfEven(values[index]! / step), lowest, highest);
  }
  return { site, method: "nearest", bits, codes: fromRows(site.layout, codes), steps };
}
