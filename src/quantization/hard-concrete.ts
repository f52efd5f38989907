/**
 * Hard-concrete gates (Louizos, Welling, Kingma 2018), with the constants of docs/method.md, "Gates": a binary
 * concrete variable stretched to (gamma, zeta) and clamped to [0, 1].
 */
const BETA = 2 / 3;
const GAMMA = -0.1;
const ZETA = 1.1;
/** beta·log(-gamma/zeta): where the stretched sigmoid crosses 0. */
const CROSSING = BETA * Math.log(-GAMMA / ZETA);
/** A gate counts as closed at test time when it would be closed with at least this probability. */
const CLOSED_THRESHOLD = 0.34;
/** At or below this parameter a gate of 4 bits and more is closed without sampling, and all levels above it. */
export const CLOSED_PARAMETER = -2;

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** A gate's value and how it moves with the gate's parameter phi; the derivative is 0 where the clamp holds it. */
export interface Gate {
  readonly value: number;
  readonly derivative: number;
}

/** A training sample for the uniform draw u in (0, 1). */
export function sampleGate(phi: number, u: number): Gate {
  const s = sigmoid((Math.log(u) - Math.log1p(-u) + phi) / BETA);
  const stretched = s * (ZETA - GAMMA) + GAMMA;
  if (stretched <= 0) return { value: 0, derivative: 0 };
  if (stretched >= 1) return { value: 1, derivative: 0 };
  return { value: stretched, derivative: (s * (1 - s) * (ZETA - GAMMA)) / BETA };
}

/** The gate without noise: clamp(sigmoid(phi/beta)·(zeta - gamma) + gamma, 0, 1). */
export const deterministicGate = (phi: number): number =>
  Math.min(1, Math.max(0, sigmoid(phi / BETA) * (ZETA - GAMMA) + GAMMA));

/** q(z > 0), the probability that a sample is active, and its derivative by phi. */
export function openProbability(phi: number): Gate {
  const value = sigmoid(phi - CROSSING);
  return { value, derivative: value * (1 - value) };
}

/** The gate at test time: open or closed. */
export const isOpen = (phi: number): boolean => sigmoid(CROSSING - phi) < CLOSED_THRESHOLD;

/** The least parameter of a gate that is open at test time, but for a margin against rounding. */
export const OPEN_PARAMETER = CROSSING - Math.log(CLOSED_THRESHOLD / (1 - CLOSED_THRESHOLD)) + 1e-9;
