import { power } from "../core/powers.ts";
import { rectifiedSigmoid } from "./rectified-sigmoid.ts";

/** AdaRound's regularizer Σ(1 - |2h(V) - 1|^beta) (equation 24): 0 when every h is 0 or 1, one per weight at h = 1/2. */
export function roundingRegularizer(v: ArrayLike<number>, beta: number): number {
  let sum = 0;
  for (let index = 0; index < v.length; index++)
    sum += 1 - power(Math.abs(2 * rectifiedSigmoid(v[index]!).value - 1), beta);
  return sum;
}

/** Its gradient by one V. */
export function roundingRegularizerSlope(v: number, beta: number): number {
  const { value, derivative } = rectifiedSigmoid(v);
  const u = 2 * value - 1;
  return -2 * beta * power(Math.abs(u), beta - 1) * Math.sign(u) * derivative;
}

/** How beta falls: `linear` as BRECQ and MQBench, `cosine` as AIMET. */
export const betaSchedules = ["linear", "cosine"] as const;

export interface BetaSchedule {
  readonly shape: (typeof betaSchedules)[number];
  readonly iterations: number;
  /** Share of the iterations without regularizer. */
  readonly warmUp: number;
  readonly start: number;
  readonly end: number;
}

/**
 * beta of an iteration, 0…iterations-1; null during the warm-up. A large beta pulls only what is near 0 or 1, a small
 * one everything. The linear schedule counts iterations from 1, as its implementations do, the cosine one from 0.
 */
export function betaAt({ shape, iterations, warmUp, start, end }: BetaSchedule, iteration: number): number | null {
  const first = warmUp * iterations;
  const time = shape === "linear" ? iteration + 1 : iteration;
  if (time < first) return null;
  const passed = (time - first) / (iterations - first);
  if (shape === "linear") return end + (start - end) * Math.max(0, 1 - passed);
  return end + ((start - end) / 2) * (1 + Math.cos(Math.PI * passed));
}
