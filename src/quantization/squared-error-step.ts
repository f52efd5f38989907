import type { CodeRange } from "./weight-grid.ts";

/** Shares of the covering step that are tried first; the best is then looked for around the best of them. */
const COARSE = Array.from({ length: 17 }, (_, index) => 1 - 0.05 * index);
/** From so many codes on each side on, the best step is near the covering one. */
const FINE_GRID = 64;
const FINE = [-0.04, -0.03, -0.02, -0.01, 0.01, 0.02, 0.03, 0.04];

/**
 * The step with the least squared error of rounding to nearest, from the covering one, `largest`/highest, down to a
 * fifth of it. For grids of 8 bits it is the covering one or close to it.
 *
 * @param codes Symmetric.
 */
export function squaredErrorStep(values: Float32Array, { highest }: CodeRange, largest: number): number {
  const covering = largest / highest;
  if (!(covering > 0)) return 0;
  let best = { share: 1, error: Number.POSITIVE_INFINITY };
  const attempt = (share: number) => {
    const error = squaredError(values, covering * share, highest, best.error);
    if (error < best.error) best = { share, error };
  };
  // A grid of many codes loses more by what it clips than it gains.
  const coarse = highest >= FINE_GRID ? COARSE.slice(0, 3) : COARSE;
  for (const share of coarse) attempt(share);
  const { share: middle } = best;
  for (const offset of FINE) if (middle + offset <= 1) attempt(middle + offset);
  return covering * best.share;
}

/** Σ (w - q(w))²; no more is summed than makes it exceed `atMost`. */
function squaredError(values: Float32Array, step: number, highest: number, atMost: number): number {
  const inverse = 1 / step;
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    const position = Math.round(value * inverse);
    const code = position > highest ? highest : position < -highest ? -highest : position;
    const error = value - code * step;
    sum += error * error;
    if ((index & 255) === 255 && sum > atMost) return sum;
  }
  return sum;
}
