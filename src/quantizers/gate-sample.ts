import type { QuantizationParameters } from "../graph/node-kind.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import type { Gate } from "../quantization/hard-concrete.ts";
import { type PerGate, perGate } from "../quantization/levels.ts";
import { type Term, telescope } from "../quantization/telescope.ts";

/** Uniform draws from (0, 1), in the order a quantizer asks for them: z_2 of every channel, then z_4, z_8 … */
export type Draw = (count: number) => ArrayLike<number>;

/** The gates of one quantizer as they stand in one pass: what the network needs to know of them, and the gradients. */
export interface GateSample {
  readonly parameters: QuantizationParameters;
  /** z_2 of every channel as a number; null where all are 1. */
  readonly factor: Float32Array | null;
  /** Whether any z_2 is unsaturated, so that its gradient is needed. */
  readonly wantsFactor: boolean;
  readonly levels: PerGate<Gate>;
  readonly terms: readonly Term[];
  /** z_2 of every channel; null where there are none. */
  readonly channels: readonly Gate[] | null;
}

/** The range's end, of the tensor and of its channels. */
export type RangeParameters = Pick<QuantizationParameters, "xMax" | "ranges">;

/** A gate that no noise moves. */
export const certain = (open: boolean): Gate => ({ value: open ? 1 : 0, derivative: 0 });

/** What a pass makes of gates with these values. */
export function sampleOf(ranges: RangeParameters, levels: PerGate<Gate>, channels: readonly Gate[] | null): GateSample {
  const terms = telescope([levels[0].value, levels[1].value, levels[2].value, levels[3].value]);
  const learns = ({ derivatives }: Term) =>
    levels.some(({ derivative }, gate) => derivative !== 0 && derivatives[gate] !== 0);
  const isPruned = channels?.some(({ value }) => value !== 1) ?? false;
  return {
    levels,
    terms,
    channels,
    parameters: {
      ...ranges,
      terms: terms.filter(({ weight }) => weight > 0),
      wanted: terms.filter(learns).map(({ bits }) => bits),
    },
    factor: channels !== null && isPruned ? Float32Array.from(channels, ({ value }) => value) : null,
    wantsFactor: channels?.some(({ derivative }) => derivative !== 0) ?? false,
  };
}

/** A range past every value of a network that works, and small enough to stay finite in float32. */
export const UNLIMITED = 1e30;

const atFloat32 = (xMax: number): GateSample =>
  sampleOf(
    { xMax, ranges: null },
    perGate(() => certain(true)),
    null,
  );

/** A pass that leaves the tensor as it is. */
export const untouched: GateSample = atFloat32(UNLIMITED);

/** A pass that quantizes nothing; what the ReLU clips in whose place an activation's quantizer stands is clipped. */
export const transparent = ({ limit }: Pick<QuantizerNode, "limit">): GateSample =>
  limit === null ? untouched : atFloat32(limit);
