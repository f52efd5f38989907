import { at } from "../core/elements.ts";
import { CLOSED_PARAMETER, type Gate, isOpen, openProbability, sampleGate } from "../quantization/hard-concrete.ts";
import { type BitWidth, bitWidths, gatedWidths, type PerGate, perGate } from "../quantization/levels.ts";
import type { ChannelGroups } from "./channel-groups.ts";
import { certain, type Draw } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

// Gates of the levels above 2 bits; phi holds the parameters of z_4, z_8, z_16, z_32: of each level in turn, one for each
// group of channels that share their gates, or for all.

/** Parameters at and beyond which a gate is open or closed for certain: what a given bit-width is written as. */
const CERTAIN = 20;

const CLOSED: Gate = { value: 0, derivative: 0 };

/** Groups that have gates of their own. */
export const groupsIn = (phi: Float64Array): number => phi.length / gatedWidths.length;

/** Writes a bit-width into the gates of all groups, for certain. */
export function setBits({ phi }: { readonly phi: Float64Array }, bits: BitWidth): void {
  setGroupBits({ phi }, new Array<BitWidth>(groupsIn(phi)).fill(bits));
}

/** Writes the bit-width of each group into its gates, for certain. */
export function setGroupBits({ phi }: { readonly phi: Float64Array }, bits: readonly BitWidth[]): void {
  for (const [level, width] of gatedWidths.entries()) {
    for (const [group, own] of bits.entries()) phi[level * bits.length + group] = width <= own ? CERTAIN : -CERTAIN;
  }
}

/**
 * Gates of one training step, by group; a gate that is closed for certain, and those above it, need no numbers, but where
 * those of another group do: then each group has its own.
 */
export function drawLevels(phi: Float64Array, draw: Draw): readonly PerGate<Gate>[] {
  const groups = groupsIn(phi);
  const drawn = Array.from({ length: groups }, (): Gate[] => []);
  for (let level = 0; level < gatedWidths.length; level++) {
    const isAlive = (group: number) =>
      drawn[group]!.length === level && phi[level * groups + group]! > CLOSED_PARAMETER;
    const alive = Array.from(drawn.keys()).filter(isAlive);
    if (alive.length === 0) break;
    const numbers = draw(groups);
    for (const group of alive) drawn[group]!.push(sampleGate(phi[level * groups + group]!, numbers[group]!));
  }
  return drawn.map((gates) => perGate((level) => gates[level] ?? CLOSED));
}

/** Gates of a group at test time that are open, without a closed one before them. */
function countOpen(phi: Float64Array, group: number): number {
  const groups = groupsIn(phi);
  const closed = gatedWidths.findIndex((_, level) => !isOpen(at(phi, level * groups + group)));
  return closed < 0 ? gatedWidths.length : closed;
}

const overGroups = <T>(phi: Float64Array, of: (group: number) => T): readonly T[] =>
  Array.from({ length: groupsIn(phi) }, (_, group) => of(group));

/** Gates at test time, by group. */
export const testTimeLevels = (phi: Float64Array): readonly PerGate<Gate>[] =>
  overGroups(phi, (group) => {
    const open = countOpen(phi, group);
    return perGate((level) => certain(level < open));
  });

/** The bit-width of each group at test time: 2^(1 + number of leading open gates). */
export const testTimeBits = (phi: Float64Array): readonly BitWidth[] =>
  overGroups(phi, (group) => at(bitWidths, countOpen(phi, group)));

/** Probability that each gate of a group is open, by itself. */
export const levelProbabilities = (phi: Float64Array, group: number): PerGate<number> =>
  perGate((level) => openProbability(at(phi, level * groupsIn(phi) + group)).value);

/** Level gates that learn: from the scalar products of their levels with the gradient, and from the prior. */
export const learnedLevels = (phi: Float64Array, groups: ChannelGroups): LearnedNumbers => ({
  name: "phi",
  group: "gates",
  values: phi,
  gradient({ sample, sums, prior, priorStrength }) {
    const gradient = prior.gradient.map((value) => priorStrength * value);
    const inner = new Map(Array.from(sums.levels, ([bits, values]) => [bits, groupSums(values, groups)] as const));
    for (const [group, gates] of sample.levels.entries()) {
      for (const [gate, { derivative }] of gates.entries()) {
        if (derivative === 0) continue;
        const slope = at(sample.terms, group).reduce(
          (sum, { bits, derivatives }) => sum + at(derivatives, gate) * (inner.get(bits)?.[group] ?? 0),
          0,
        );
        gradient[gate * groups.count + group]! += slope * derivative;
      }
    }
    return gradient;
  },
  hold: () => false,
});

/** One sum stands for all channels. */
const groupSums = (values: ArrayLike<number>, groups: ChannelGroups): ArrayLike<number> =>
  values.length === groups.count ? values : groups.sum(values);
