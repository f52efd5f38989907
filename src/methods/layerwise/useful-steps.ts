import { rowOf } from "../../quantization/weight-grid.ts";

/** A channel whose codes are all 0 may have any step: it gets the largest of the others, so that ranges stay true. */
export function usefulSteps(codes: Int32Array, steps: Float32Array): Float32Array {
  const inputs = codes.length / steps.length;
  const isUsed = steps.map((_, output) => (rowOf(codes, output, inputs).some((code) => code !== 0) ? 1 : 0));
  const largest = steps.reduce((most, step, output) => (isUsed[output] === 1 ? Math.max(most, step) : most), 0);
  return steps.map((step, output) => (isUsed[output] === 1 || largest === 0 ? step : largest));
}
