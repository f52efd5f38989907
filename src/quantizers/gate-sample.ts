import { first } from "../core/elements.ts";
import type { WeightedLevel } from "../engine/ops.ts";
import type { QuantizationParameters } from "../graph/node-kind.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import type { Gate } from "../quantization/hard-concrete.ts";
import { bitWidths, gatedWidths } from "../quantization/levels.ts";
import { movedWeights, telescope } from "../quantization/telescope.ts";
import type { ChannelGroups } from "./channel-groups.ts";

/** Uniform draws from (0, 1), in the order a quantizer asks for them: z_2 of every channel, then z_4, z_8 … */
export type Draw = (count: number) => ArrayLike<number>;

/** z_4, z_8, z_16, z_32 as they stand in one pass: of each in turn, one for each group of channels that share them. */
export interface LevelGates {
  readonly values: Float64Array;
  /** By the gates' parameters; 0 where the clamp holds one. */
  readonly derivatives: Float64Array;
}

/** The gates of one quantizer as they stand in one pass: what the network needs to know of them, and the gradients. */
export interface GateSample {
  readonly parameters: QuantizationParameters;
  /** z_2 of every channel as a number; null where all are 1. */
  readonly factor: Float32Array | null;
  /** Whether any z_2 is unsaturated, so that its gradient is needed. */
  readonly wantsFactor: boolean;
  readonly levels: LevelGates;
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
  levels: LevelGates,
  channels: readonly Gate[] | null,
  groups: ChannelGroups | null = null,
): GateSample {
  const moved = movedWeights(levels.values, levels.derivatives);
  const wanted = bitWidths.filter((_, level) => moved[level]);
  const terms = weightedLevels(levels.values, { groups, learn: wanted.length > 0 });
  const isPruned = channels?.some(({ value }) => value !== 1) ?? false;
  return {
    levels,
    channels,
    parameters: { ...ranges, terms, wanted },
    factor: channels !== null && isPruned ? Float32Array.from(channels, ({ value }) => value) : null,
    wantsFactor: channels?.some(({ derivative }) => derivative !== 0) ?? false,
  };
}

/**
 * The levels with a weight above zero: one weight where all groups have the same and nothing is to be learned of each, else
 * one for each channel.
 */
function weightedLevels(
  gates: Float64Array,
  { groups, learn }: { readonly groups: ChannelGroups | null; readonly learn: boolean },
): readonly WeightedLevel[] {
  const weights = telescope(gates);
  const count = gates.length / gatedWidths.length;
  const rows = bitWidths.map((bits, level) => ({ bits, own: weights.subarray(level * count, (level + 1) * count) }));
  const isShared = !learn && rows.every(({ own }) => own.every((weight) => weight === own[0]));
  const isOne = groups === null || count === 1 || isShared;
  return rows.flatMap(({ bits, own }) => {
    if (!own.some((weight) => weight > 0)) return [];
    return [{ bits, weight: isOne ? first(own) : groups.spread(own) }];
  });
}

/** A range past every value of a network that works, and small enough to stay finite in float32. */
export const UNLIMITED = 1e30;

const allOpen: LevelGates = {
  values: new Float64Array(gatedWidths.length).fill(1),
  derivatives: new Float64Array(gatedWidths.length),
};

const atFloat32 = (xMax: number): GateSample => sampleOf({ xMax, ranges: null }, allOpen, null);

/** A pass that leaves the tensor as it is. */
export const untouched: GateSample = atFloat32(UNLIMITED);

/** A pass that quantizes nothing; what the ReLU clips in whose place an activation's quantizer stands is clipped. */
export const transparent = ({ limit }: Pick<QuantizerNode, "limit">): GateSample =>
  limit === null ? untouched : atFloat32(limit);
