import { at } from "../core/elements.ts";
import { CLOSED_PARAMETER, isOpen, openProbability, sampleGate } from "../quantization/hard-concrete.ts";
import { type BitWidth, bitWidths, gatedWidths, type PerGate, perGate } from "../quantization/levels.ts";
import { telescopeGradient } from "../quantization/telescope.ts";
import type { ChannelGroups } from "./channel-groups.ts";
import type { Draw, LevelGates } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

// Gates of the levels above 2 bits; phi holds the parameters of z_4, z_8, z_16, z_32: of each level in turn, one for each
// group of channels that share their gates, or for all.

/** Parameters at and beyond which a gate is open or closed for certain: what a given bit-width is written as. */
const CERTAIN = 20;

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
export function drawLevels(phi: Float64Array, draw: Draw): LevelGates {
  const groups = groupsIn(phi);
  const values = new Float64Array(phi.length);
  const derivatives = new Float64Array(phi.length);
  let alive = Array.from({ length: groups }, (_, group) => group);
  for (let level = 0; level < gatedWidths.length; level++) {
    alive = alive.filter((group) => phi[level * groups + group]! > CLOSED_PARAMETER);
    if (alive.length === 0) break;
    const numbers = draw(groups);
    for (const group of alive) {
      const gate = sampleGate(phi[level * groups + group]!, numbers[group]!);
      values[level * groups + group] = gate.value;
      derivatives[level * groups + group] = gate.derivative;
    }
  }
  return { values, derivatives };
}

/** Gates of a group at test time that are open, without a closed one before them. */
function countOpen(phi: Float64Array, group: number): number {
  const groups = groupsIn(phi);
  const closed = gatedWidths.findIndex((_, level) => !isOpen(at(phi, level * groups + group)));
  return closed < 0 ? gatedWidths.length : closed;
}

const overGroups = <T>(phi: Float64Array, of: (group: number) => T): readonly T[] =>
  Array.from({ length: groupsIn(phi) }, (_, group) => of(group));

/** Gates at test time: none is open above a closed one. */
export function testTimeLevels(phi: Float64Array): LevelGates {
  const groups = groupsIn(phi);
  const values = new Float64Array(phi.length);
  for (let group = 0; group < groups; group++) {
    const open = countOpen(phi, group);
    for (let level = 0; level < open; level++) values[level * groups + group] = 1;
  }
  return { values, derivatives: new Float64Array(phi.length) };
}

/** The bit-width of each group at test time: 2^(1 + number of leading open gates). */
export const testTimeBits = (phi: Float64Array): readonly BitWidth[] =>
  overGroups(phi, (group) => at(bitWidths, countOpen(phi, group)));

/** Probability that each gate of a group is open, by itself. */
export const levelProbabilities = (phi: Float64Array, group: number): PerGate<number> =>
  perGate((level) => openProbability(at(phi, level * groupsIn(phi) + group)).value);

/** Times the rate of gates, at most, that gates of groups learn with. */
const FASTEST = 3;

/**
 * Level gates that learn: from the scalar products of their levels with the gradient, and from the prior. With G groups a
 * group's share of the prior is 1/G of a tensor's, but the noise of what the data say falls with √G alone, and Adam's steps
 * with their quotient: the rate makes up for that, so that gates of large weights do not lag behind those of activations.
 */
export const learnedLevels = (phi: Float64Array, groups: ChannelGroups): LearnedNumbers => ({
  name: "phi",
  group: "gates",
  values: phi,
  gradient({ sample, sums, prior, priorStrength }) {
    const { values, derivatives } = sample.levels;
    const byWeight = new Float64Array(bitWidths.length * groups.count);
    for (const [level, bits] of bitWidths.entries()) {
      const inner = sums.levels.get(bits);
      if (inner !== undefined) byWeight.set(groupSums(inner, groups), level * groups.count);
    }
    const byGate = telescopeGradient(values, byWeight);
    return byGate.map((slope, index) => {
      const byPrior = priorStrength * at(prior.gradient, index);
      const derivative = at(derivatives, index);
      return derivative === 0 ? byPrior : byPrior + slope * derivative;
    });
  },
  hold: () => false,
  rate: () => Math.min(FASTEST, Math.sqrt(groups.count)),
});

/** One sum stands for all channels. */
const groupSums = (values: ArrayLike<number>, groups: ChannelGroups): ArrayLike<number> =>
  values.length === groups.count ? values : groups.sum(values);
