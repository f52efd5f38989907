import { at } from "../core/elements.ts";
import type { WeightedLevel } from "../engine/ops.ts";
import type { QuantizationParameters } from "../graph/node-kind.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import type { Gate } from "../quantization/hard-concrete.ts";
import { bitWidths, type PerGate, perGate } from "../quantization/levels.ts";
import { type Term, telescope } from "../quantization/telescope.ts";
import type { ChannelGroups } from "./channel-groups.ts";

/** Uniform draws from (0, 1), in the order a quantizer asks for them: z_2 of every channel, then z_4, z_8 … */
export type Draw = (count: number) => ArrayLike<number>;

/** The gates of one quantizer as they stand in one pass: what the network needs to know of them, and the gradients. */
export interface GateSample {
  readonly parameters: QuantizationParameters;
  /** z_2 of every channel as a number; null where all are 1. */
  readonly factor: Float32Array | null;
  /** Whether any z_2 is unsaturated, so that its gradient is needed. */
  readonly wantsFactor: boolean;
  /** By group of channels that share the gates of their levels. */
  readonly levels: readonly PerGate<Gate>[];
  /** By group. */
  readonly terms: readonly (readonly Term[])[];
  /** z_2 of every channel; null where there are none. */
  readonly channels: readonly Gate[] | null;
}

/** The range's end, of the tensor and of its channels. */
export type RangeParameters = Pick<QuantizationParameters, "xMax" | "ranges">;

/** A gate that no noise moves. */
export const certain = (open: boolean): Gate => ({ value: open ? 1 : 0, derivative: 0 });

/**
 * What a pass makes of gates with these values.
 *
 * @param groups Which channels have which of `levels`; null where there is one for all.
 */
export function sampleOf(
  ranges: RangeParameters,
  levels: readonly PerGate<Gate>[],
  channels: readonly Gate[] | null,
  groups: ChannelGroups | null = null,
): GateSample {
  const terms = levels.map((gates) => telescope(perGate((gate) => at(gates, gate).value)));
  const learns = (group: number, { derivatives }: Term) =>
    at(levels, group).some(({ derivative }, gate) => derivative !== 0 && derivatives[gate] !== 0);
  const wanted = bitWidths.filter((_, level) => terms.some((own, group) => learns(group, at(own, level))));
  const isPruned = channels?.some(({ value }) => value !== 1) ?? false;
  return {
    levels,
    terms,
    channels,
    parameters: { ...ranges, terms: weightedLevels(terms, { groups, learn: wanted.length > 0 }), wanted },
    factor: channels !== null && isPruned ? Float32Array.from(channels, ({ value }) => value) : null,
    wantsFactor: channels?.some(({ derivative }) => derivative !== 0) ?? false,
  };
}

/**
 * The levels with a weight above zero: one weight where all groups have the same and nothing is to be learned of each, else
 * one for each channel.
 */
function weightedLevels(
  terms: readonly (readonly Term[])[],
  { groups, learn }: { readonly groups: ChannelGroups | null; readonly learn: boolean },
): readonly WeightedLevel[] {
  const [, ...others] = terms;
  const first = at(terms, 0);
  const isShared = others.every((own) => own.every(({ weight }, level) => weight === at(first, level).weight));
  if (groups === null || others.length === 0 || (isShared && !learn)) return first.filter(({ weight }) => weight > 0);
  return bitWidths.flatMap((bits, level) => {
    const weights = terms.map((own) => at(own, level).weight);
    return weights.some((weight) => weight > 0) ? [{ bits, weight: groups.spread(weights) }] : [];
  });
}

/** A range past every value of a network that works, and small enough to stay finite in float32. */
export const UNLIMITED = 1e30;

const atFloat32 = (xMax: number): GateSample => sampleOf({ xMax, ranges: null }, [perGate(() => certain(true))], null);

/** A pass that leaves the tensor as it is. */
export const untouched: GateSample = atFloat32(UNLIMITED);

/** A pass that quantizes nothing; what the ReLU clips in whose place an activation's quantizer stands is clipped. */
export const transparent = ({ limit }: Pick<QuantizerNode, "limit">): GateSample =>
  limit === null ? untouched : atFloat32(limit);
