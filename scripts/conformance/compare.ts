import { z } from "zod";

/** What one golden file came to. */
export interface Outcome {
  readonly cases: number;
  readonly failed: number;
  /** Largest error over its bound: 1 is just within. */
  readonly maxError: number;
}

/** Gathers errors, each as a share of what is allowed. */
export class Tally {
  cases = 0;
  failed = 0;
  maxError = 0;

  /** Counts one case: all its checks must hold. */
  case(body: (check: (error: number, bound: number) => void) => void): void {
    let holds = true;
    this.cases++;
    body((error, bound) => {
      if (!(error <= bound)) holds = false;
      this.maxError = Number.isFinite(error) ? Math.max(this.maxError, error) : Number.POSITIVE_INFINITY;
    });
    if (!holds) this.failed++;
  }
}

export const numbers = z.array(z.number());

/** Largest absolute difference. */
export function largestDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((largest, value, index) => Math.max(largest, Math.abs(value - actual[index]!)), 0);
}

export const largestMagnitude = (values: readonly number[]): number =>
  values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

/** Error of a number under "relative or absolute": what is left after the absolute allowance counts relative. */
export function relativeError(actual: number, expected: number, absolute = 0): number {
  const difference = Math.abs(actual - expected);
  return difference <= absolute ? 0 : difference / Math.abs(expected);
}

/** Moves axis 0 (output channels, as PyTorch has them) to the end and back. */
export function channelsLast(values: readonly number[], channels: number): Float32Array {
  const rest = values.length / channels;
  return Float32Array.from(
    { length: values.length },
    (_, index) => values[(index % channels) * rest + Math.floor(index / channels)]!,
  );
}

export function channelsFirst(values: ArrayLike<number>, channels: number): Float32Array {
  const rest = values.length / channels;
  return Float32Array.from(
    { length: values.length },
    (_, index) => values[(index % rest) * channels + Math.floor(index / rest)]!,
  );
}
