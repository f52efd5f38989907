import { roundHalfEven } from "../quantization/grid.ts";
import { largestMagnitude } from "../quantization/scale-search.ts";
import { squaredErrorStep } from "../quantization/squared-error-step.ts";
import { clamp, rowOf, symmetricCodes, symmetricGrid, type WeightBits } from "../quantization/weight-grid.ts";
import { fromRows, toRows, type WeightSite } from "./weight-site.ts";

/** A weight on its grids. */
export interface SolvedSite {
  readonly site: WeightSite;
  readonly bits: WeightBits;
  /** In the tensor's order. */
  readonly codes: Int32Array;
  /** For each index of the layout's axis. */
  readonly steps: Float32Array;
}

/** Rounds a site's weight to nearest, on the steps of least squared error, one for each output channel. */
export function roundSite(site: WeightSite, bits: WeightBits): SolvedSite {
  const { values, outputs, inputs } = toRows(site.layout, site.values);
  const range = symmetricCodes(bits);
  const codes = new Int32Array(values.length);
  const steps = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const row = rowOf(values, output, inputs);
    const { step } = symmetricGrid(bits, squaredErrorStep(row, range, largestMagnitude(row)));
    steps[output] = step;
    const from = output * inputs;
    for (let index = 0; index < row.length; index++) {
      codes[from + index] = clamp(roundHalfEven(row[index]! / step), range.lowest, range.highest);
    }
  }
  return { site, bits, codes: fromRows(site.layout, codes), steps };
}
