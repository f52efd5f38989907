import { type Gate, isOpen, OPEN_PARAMETER, openProbability, sampleGate } from "../quantization/hard-concrete.ts";
import { certain, type Draw } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

// Pruning gates: `prune` holds the parameter of z_2 of each output channel.

/** Gates of one training step. */
export function drawChannels(prune: Float64Array, draw: Draw): readonly Gate[] {
  const numbers = draw(prune.length);
  return Array.from(prune, (parameter, channel) => sampleGate(parameter, numbers[channel]!));
}

/** Gates at test time. */
export const testTimeChannels = (prune: Float64Array): readonly Gate[] =>
  Array.from(prune, (parameter) => certain(isOpen(parameter)));

/** Indices of the channels whose gate is open at test time. */
export const keptChannels = (prune: Float64Array): readonly number[] =>
  Array.from(prune.entries()).flatMap(([channel, parameter]) => (isOpen(parameter) ? [channel] : []));

/** Parameters at and beyond which a channel is kept or pruned for certain. */
const CERTAIN = 20;

/** Writes into pruning gates which channels are kept, for certain. */
export function setKept(prune: Float64Array, isKept: (channel: number) => boolean): void {
  for (const channel of prune.keys()) prune[channel] = isKept(channel) ? CERTAIN : -CERTAIN;
}

/** Mean probability that a channel is kept. */
export const keepProbability = (prune: Float64Array): number =>
  prune.reduce((sum, parameter) => sum + openProbability(parameter).value, 0) / prune.length;

/** Pruning gates that learn. A layer keeps its last channel. */
export const learnedChannels = (prune: Float64Array): LearnedNumbers => ({
  name: "prune",
  group: "gates",
  values: prune,
  gradient({ sample, sums, prior, priorStrength }) {
    const gradient = Float64Array.from(prior.pruneGradient ?? prune.map(() => 0), (value) => priorStrength * value);
    for (const [channel, { value, derivative }] of sample.channels?.entries() ?? []) {
      if (derivative !== 0) gradient[channel]! += (sums.channels![channel]! / value) * derivative;
    }
    return gradient;
  },
  hold: () => holdLastChannel(prune),
});

/**
 * Keeps a layer from losing its last channel: where no pruning gate would be open at test time, the one nearest to it
 * is held just open, in place.
 *
 * @returns Whether it had to.
 */
export function holdLastChannel(prune: Float64Array): boolean {
  if (prune.length === 0 || prune.some(isOpen)) return false;
  prune[prune.indexOf(prune.reduce((a, b) => Math.max(a, b)))] = OPEN_PARAMETER;
  return true;
}
