import { power, square } from "../core/powers.ts";
import { roundHalfEven } from "./grid.ts";
import {
  type CodeRange,
  clamp,
  rowOf,
  symmetricCodes,
  symmetricGrid,
  type WeightGrid,
  type WeightMatrix,
} from "./weight-grid.ts";

/**
 * How the steps of weights are set before rounding: the outermost code is the largest weight (`max`), or the least error
 * of nearest rounding, as BRECQ (`mse`) or AIMET (`sqnr`) measure it.
 */
export const stepRules = ["max", "mse", "sqnr"] as const;
export type StepRule = (typeof stepRules)[number];

export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** Power of the error that the mse search minimizes: between the mean and the largest error (BRECQ). */
export const POWER = 2.4;
/** The search shrinks the range in steps of 1 % down to 21 %. */
const CANDIDATES = 80;

/** Smallest and largest value; `withZero` widens the range to contain 0. */
export function rangeOf(values: ArrayLike<number>, { withZero }: { withZero: boolean }): ValueRange {
  let [low, high] = withZero ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = 0; index < values.length; index++) {
    low = Math.min(low, values[index]!);
    high = Math.max(high, values[index]!);
  }
  return { low, high };
}

export const largestMagnitude = (values: ArrayLike<number>): number => {
  const { low, high } = rangeOf(values, { withZero: true });
  return Math.max(-low, high);
};

/**
 * Tries 80 grids, shrunk by 0 %, 1 % … 79 %, and keeps the first with the least mean of |w - q(w)|^2.4 (BRECQ's mse
 * search).
 */
export function searchGrid(
  values: ArrayLike<number>,
  candidate: (shrink: number) => WeightGrid,
): { readonly grid: WeightGrid; readonly score: number } {
  let best = { grid: candidate(1), score: Number.POSITIVE_INFINITY };
  for (let index = 0; index < CANDIDATES; index++) {
    const grid = candidate(1 - 0.01 * index);
    const { step, lowest, highest } = grid;
    const most = best.score * values.length;
    let sum = 0;
    // A candidate that is worse already needs no further look.
    for (let i = 0; i < values.length && sum <= most; i++) {
      const value = values[i]!;
      // Against the float32 weight that the code decodes to.
      sum += power(Math.abs(value - Math.fround(step * clamp(roundHalfEven(value / step), lowest, highest))), POWER);
    }
    const score = sum / values.length;
    if (score < best.score) best = { grid, score };
  }
  return best;
}

/** The least step with which codes lowest…highest reach both ends of the range. */
export const coveringStep = ({ low, high }: ValueRange, { lowest, highest }: CodeRange): number =>
  Math.max(high / highest, low / lowest);

/** The symmetric grid of one channel, or of a whole tensor, by `rule`. */
export function symmetricGridBy(rule: StepRule, bits: number, values: ArrayLike<number>): WeightGrid {
  const codes = symmetricCodes(bits);
  if (rule === "sqnr") return symmetricGrid(bits, signalToNoiseStep(values, codes));
  const step = coveringStep(rangeOf(values, { withZero: true }), codes);
  if (rule === "max") return symmetricGrid(bits, step);
  return searchGrid(values, (shrink) => symmetricGrid(bits, step * shrink)).grid;
}

/** A grid for each output channel; per tensor they are the same. */
export function weightGrids(
  { values, outputs, inputs }: WeightMatrix,
  { bits, rule, perChannel }: { bits: number; rule: StepRule; perChannel: boolean },
): readonly WeightGrid[] {
  if (!perChannel) return Array<WeightGrid>(outputs).fill(symmetricGridBy(rule, bits, values));
  return Array.from({ length: outputs }, (_, row) => symmetricGridBy(rule, bits, rowOf(values, row, inputs)));
}

const BINS = 2048;
/** Clipped values cost more than rounded ones. */
const CLIP_WEIGHT = 3;

/**
 * AIMET's signal-to-noise search ("tf-enhanced"): 101 steps up to 1.01 times that of the largest weight, on a histogram
 * of 2048 bins; the first with the least noise, bins beyond the codes counting three times.
 */
export function signalToNoiseStep(values: ArrayLike<number>, { lowest, highest }: CodeRange): number {
  const { low, high } = rangeOf(values, { withZero: false });
  const counts = new Float64Array(BINS);
  const width = (high - low) / BINS;
  for (let index = 0; index < values.length; index++) {
    const bin = width > 0 ? Math.floor((values[index]! - low) / width) : 0;
    counts[Math.min(BINS - 1, bin)]!++;
  }
  const largest = Math.max(-low, high);
  let best = { step: 0, noise: Number.POSITIVE_INFINITY };
  for (let percent = 1; percent <= 101; percent++) {
    const step = ((2 * largest) / (highest - lowest)) * (percent / 100);
    let noise = 0;
    for (let bin = 0; bin < BINS; bin++) {
      if (counts[bin] === 0) continue;
      const middle = low + (bin + 0.5) * width;
      const code = roundHalfEven(middle / step);
      const clipped = clamp(code, lowest, highest);
      noise += counts[bin]! * (clipped === code ? 1 : CLIP_WEIGHT) * square(clipped * step - middle);
    }
    if (noise < best.noise) best = { step, noise };
  }
  return best.step;
}
