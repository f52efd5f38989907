import { square } from "../core/powers.ts";
import { largestMagnitude } from "./scale-search.ts";
import { decode, nearestCode, symmetricGrid, type WeightGrid } from "./weight-grid.ts";

/** A kernel, which is one output channel's weights, in so many bits. */
export interface QuantizedKernel {
  /** Its weights as they are decoded, float32. */
  readonly values: Float32Array;
  /** What its codes are multiplied by; of 0 bits 0. */
  readonly step: number;
  /** Σ (w - q(w))². */
  readonly error: number;
}

/** The search shrinks the covering step by 1 % of it at a time. */
const CANDIDATES = 100;

/**
 * A kernel on its own symmetric grid: s·clip(round(w/s), ±(2^(bits-1) - 1)), the step by least squared error. With 1 bit
 * it is sign(w)·mean|w|, with 0 it is pruned: its channel is its bias.
 */
export function quantizeKernel(kernel: Float32Array, bits: number): QuantizedKernel {
  if (bits === 0) return withError(kernel, new Float32Array(kernel.length), 0);
  if (bits === 1) {
    const mean = Math.fround(kernel.reduce((sum, weight) => sum + Math.abs(weight), 0) / kernel.length);
    return withError(
      kernel,
      kernel.map((weight) => (weight < 0 ? -mean : mean)),
      mean,
    );
  }
  const covering = symmetricGrid(bits, 0);
  const widest = largestMagnitude(kernel) / covering.highest;
  let best = { grid: symmetricGrid(bits, widest), error: Number.POSITIVE_INFINITY };
  for (let index = 0; index < CANDIDATES; index++) {
    const grid = symmetricGrid(bits, widest * (1 - 0.01 * index));
    const error = squaredError(kernel, grid, best.error);
    if (error < best.error) best = { grid, error };
  }
  const codes = Int32Array.from(kernel, (weight) => nearestCode(weight, best.grid));
  return withError(kernel, decode(codes, [best.grid.step], kernel.length), best.grid.step);
}

function withError(kernel: Float32Array, values: Float32Array, step: number): QuantizedKernel {
  const error = kernel.reduce((sum, weight, index) => sum + square(weight - (values[index] ?? 0)), 0);
  return { values, step, error };
}

/** Of rounding to nearest; no more is summed than makes it exceed `atMost`. */
function squaredError(kernel: Float32Array, { step, highest }: WeightGrid, atMost: number): number {
  let sum = 0;
  for (let index = 0; index < kernel.length && sum <= atMost; index++) {
    const position = Math.abs(kernel[index]!);
    sum += square(position - step * Math.min(highest, Math.floor(position / step + 0.5)));
  }
  return sum;
}
