import { CLOSED_PARAMETER, type Gate, isOpen, openProbability, sampleGate } from "../quantization/hard-concrete.ts";
import { type BitWidth, bitWidths, gatedWidths, type PerGate, perGate } from "../quantization/levels.ts";
import { certain, type Draw } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

// Gates of the levels above 2 bits; phi holds the parameters of z_4, z_8, z_16, z_32.

/** Parameters at and beyond which a gate is open or closed for certain: what a given bit-width is written as. */
const CERTAIN = 20;

const CLOSED: Gate = { value: 0, derivative: 0 };

/** Writes a bit-width into the gates, for certain. */
export function setBits({ phi }: { readonly phi: Float64Array }, bits: BitWidth): void {
  phi.set(gatedWidths.map((level) => (level <= bits ? CERTAIN : -CERTAIN)));
}

/** Gates of one training step; a gate that is closed for certain, and those above it, need no numbers. */
export function drawLevels(phi: Float64Array, draw: Draw): PerGate<Gate> {
  const gates: Gate[] = [];
  for (const parameter of phi) {
    if (parameter <= CLOSED_PARAMETER) break;
    const [u] = Array.from(draw(1));
    gates.push(sampleGate(parameter, u!));
  }
  return perGate((level) => gates[level] ?? CLOSED);
}

/** Gates at test time that are open, without a closed one before them. */
function countOpen(phi: Float64Array): number {
  const closed = phi.findIndex((parameter) => !isOpen(parameter));
  return closed < 0 ? phi.length : closed;
}

/** Gates at test time. */
export function testTimeLevels(phi: Float64Array): PerGate<Gate> {
  const open = countOpen(phi);
  return perGate((level) => certain(level < open));
}

/** The bit-width at test time: 2^(1 + number of leading open gates). */
export const testTimeBits = (phi: Float64Array): BitWidth => bitWidths[countOpen(phi)]!;

/** Probability that each gate is open, by itself. */
export const levelProbabilities = (phi: Float64Array): readonly number[] =>
  Array.from(phi, (parameter) => openProbability(parameter).value);

/** Level gates that learn: from the scalar products of their levels with the gradient, and from the prior. */
export const learnedLevels = (phi: Float64Array): LearnedNumbers => ({
  name: "phi",
  group: "gates",
  values: phi,
  gradient({ sample, sums, prior, priorStrength }) {
    const gradient = Float64Array.from(prior.gradient, (value) => priorStrength * value);
    for (const [gate, { derivative }] of sample.levels.entries()) {
      if (derivative === 0) continue;
      const slope = sample.terms.reduce(
        (sum, { bits, derivatives }) => sum + derivatives[gate]! * (sums.levels.get(bits) ?? 0),
        0,
      );
      gradient[gate]! += slope * derivative;
    }
    return gradient;
  },
  hold: () => false,
});
