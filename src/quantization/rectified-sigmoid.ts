import { sigmoid } from "./hard-concrete.ts";

/**
 * The rectified sigmoid of AdaRound (Nagel et al. 2020, equation 23): h(V) = clamp(sigmoid(V)·(zeta - gamma) + gamma,
 * 0, 1) with zeta 1.1 and gamma -0.1. It is exactly 0 or 1 from |V| = ln 11 on.
 */
const STRETCH = 1.2;
const GAMMA = -0.1;

/** h(V), and its derivative: 0 where the clamp holds it. */
export function rectifiedSigmoid(v: number): { readonly value: number; readonly derivative: number } {
  const s = sigmoid(v);
  const stretched = STRETCH * s + GAMMA;
  if (stretched <= 0) return { value: 0, derivative: 0 };
  if (stretched >= 1) return { value: 1, derivative: 0 };
  return { value: stretched, derivative: STRETCH * s * (1 - s) };
}

/** V with h(V) = fraction, for a fraction in [0, 1]. */
export const inverseRectifiedSigmoid = (fraction: number): number => -Math.log(STRETCH / (fraction - GAMMA) - 1);

/** The decision in the end: up where V >= 0, that is h >= 1/2. */
export const roundsUp = (v: number): boolean => v >= 0;
