import { mean } from "../core/mean.ts";
import { quickStep } from "./quick-step.ts";
import { largestMagnitude } from "./scale-search.ts";
import { decode, nearestCodes, symmetricCodes, symmetricGrid } from "./weight-grid.ts";

/** A kernel, which is one output channel's weights, in so many bits. */
export interface QuantizedKernel {
  /** Its weights as they are decoded, float32. */
  readonly values: Float32Array;
  /** What its codes are multiplied by; of 0 bits, or where all weights are 0, 0. */
  readonly step: number;
}

/**
 * A kernel on its own symmetric grid: s·clip(round(w/s), ±(2^(bits-1) - 1)), the step by the least error of rounding to
 * nearest (`quickStep`). With 1 bit it is sign(w)·mean|w|, with 0 it is pruned.
 */
export function quantizeKernel(kernel: Float32Array, bits: number): QuantizedKernel {
  const largest = largestMagnitude(kernel);
  if (bits === 0 || largest === 0) return { values: new Float32Array(kernel.length), step: 0 };
  if (bits === 1) {
    const step = Math.fround(mean(kernel.map(Math.abs)));
    return { values: kernel.map((weight) => (weight < 0 ? -step : step)), step };
  }
  const grid = symmetricGrid(bits, quickStep(kernel, symmetricCodes(bits), largest));
  const codes = nearestCodes({ values: kernel, outputs: 1, inputs: kernel.length }, [grid]);
  return { values: decode(codes, [grid.step], kernel.length), step: grid.step };
}
