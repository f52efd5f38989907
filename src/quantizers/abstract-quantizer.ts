import { at, first } from "../core/elements.ts";
import { mean } from "../core/mean.ts";
import type { NodeId } from "../graph/graph.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { encode, stepSize } from "../quantization/grid.ts";
import { type Gate, openProbability } from "../quantization/hard-concrete.ts";
import { bitWidths, type ChannelBits, type GridBits, perGate, widest } from "../quantization/levels.ts";
import { type Complexity, complexity, type PriorWeight } from "../quantization/prior.ts";
import type { ProductCodes } from "../quantization/product/blocks.ts";
import { keepProbability, keptChannels, testTimeChannels } from "./channel-gates.ts";
import type { ChannelGroups } from "./channel-groups.ts";
import { type Draw, type GateSample, type LevelGates, type RangeParameters, sampleOf } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";
import { levelProbabilities, testTimeBits, testTimeLevels } from "./level-gates.ts";

/** What every quantizer has, on the host; the arrays are changed in place. */
export interface QuantizerParts {
  readonly node: QuantizerNode;
  /** phi of z_4, z_8, z_16, z_32: of each in turn, one for each group. */
  readonly phi: Float64Array;
  /** The output channels that share the gates of their levels: all of them, or some neighbours. */
  readonly groups: ChannelGroups;
  /** phi of z_2 per output channel; null where channels cannot be pruned. */
  readonly prune: Float64Array | null;
  /** The nodes whose results z_2 multiplies; none where channels cannot be pruned. */
  readonly multiplies: readonly NodeId[];
  /** The range's end, of the tensor or of each output channel. */
  readonly range: Float64Array;
  /** What the ranges are kept above: one number. */
  readonly floor: Float64Array;
  readonly prior: PriorWeight;
}

/** A weight as integers: it is scale·code. */
export interface IntegerCodes {
  /** One for all, or one for each output channel, the last axis. */
  readonly scale: number | Float32Array;
  readonly codes: Int32Array;
}

/**
 * A quantizer of one tensor, of any kind. What a kind decides: the gates of a training step, what learns, and, where the
 * weight lies on a grid of its own, bits and codes. When training changes what a quantizer is, one of another kind takes
 * its place and its arrays.
 */
export abstract class Quantizer implements QuantizerParts {
  readonly node: QuantizerNode;
  readonly phi: Float64Array;
  readonly groups: ChannelGroups;
  readonly prune: Float64Array | null;
  readonly multiplies: readonly NodeId[];
  readonly range: Float64Array;
  readonly floor: Float64Array;
  readonly prior: PriorWeight;

  constructor({ node, phi, groups, prune, multiplies, range, floor, prior }: QuantizerParts) {
    this.node = node;
    this.phi = phi;
    this.groups = groups;
    this.prune = prune;
    this.multiplies = multiplies;
    this.range = range;
    this.floor = floor;
    this.prior = prior;
  }

  /** What training changes. */
  abstract readonly learned: readonly LearnedNumbers[];

  /** The gates of a training step. */
  abstract sample(draw: Draw): GateSample;

  /** What takes its place when gates stop learning: they stand where they would at test time. */
  abstract withFixedGates(): Quantizer;

  /** The gates at test time: the learned bit-widths and the kept channels. */
  atTestTime(): GateSample {
    return this.sampled(testTimeLevels(this.phi), this.testTimeChannels());
  }

  /** The bit-width at test time, of the widest channel. */
  get bits(): GridBits {
    const { channelBits } = this;
    return channelBits === null ? first(testTimeBits(this.phi)) : widest(channelBits);
  }

  /** The codebook that the weight is decoded from; null of others. */
  get codebook(): ProductCodes | null {
    return null;
  }

  /** The bit-width of each channel at test time, 0 where it is pruned; null where all have the same gates. */
  get channelBits(): readonly ChannelBits[] | null {
    const { groups, kept } = this;
    if (groups.count === 1) return null;
    const bits = testTimeBits(this.phi);
    const widths = Array.from({ length: groups.channels }, (_, channel): ChannelBits => at(bits, groups.of(channel)));
    if (kept === null) return widths;
    const open = new Set(kept);
    return widths.map((width, channel) => (open.has(channel) ? width : 0));
  }

  /** The bit-widths at test time of some of its channels: one where they are the same. */
  bitsOf(channels: readonly number[]): GridBits | readonly ChannelBits[] {
    const { channelBits } = this;
    if (channelBits === null) return this.bits;
    const bits = channels.map((channel) => at(channelBits, channel));
    const [one = 0, ...others] = bits;
    return others.every((width) => width === one) ? (one === 0 ? bitWidths[0] : one) : bits;
  }

  /** Indices of the channels that are kept at test time; null where channels cannot be pruned. */
  get kept(): readonly number[] | null {
    return this.prune && keptChannels(this.prune);
  }

  /** Of the tensor, or of its widest channel. */
  get xMax(): number {
    return this.range.reduce((widest, range) => Math.max(widest, range));
  }

  /** The ranges as a pass needs them. */
  get rangeParameters(): RangeParameters {
    return { xMax: this.xMax, ranges: this.range.length === 1 ? null : Float32Array.from(this.range) };
  }

  /** Probability that the gate of each level is open, by itself; the mean over channels that have gates of their own. */
  get probabilities(): readonly number[] {
    const { groups, phi } = this;
    if (groups.count === 1) return levelProbabilities(phi, 0);
    const own = Array.from({ length: groups.count }, (_, group) => levelProbabilities(phi, group));
    return perGate((level) => mean(groups.spread(own.map((gates) => at(gates, level)))));
  }

  /** Expected bits: 2 + 2·q_4 + 4·q_4 q_8 + …, the mean over channels by the probabilities that they are kept. */
  get expectedBits(): number {
    const { groups, phi, prune } = this;
    if (groups.count === 1) return expectedBits(levelProbabilities(phi, 0));
    const bits = Array.from({ length: groups.count }, (_, group) => expectedBits(levelProbabilities(phi, group)));
    let [sum, weights] = [0, 0];
    for (let channel = 0; channel < groups.channels; channel++) {
      const weight = prune === null ? 1 : openProbability(at(prune, channel)).value;
      sum += weight * at(bits, groups.of(channel));
      weights += weight;
    }
    return sum / weights;
  }

  /** Mean probability that a channel is kept; null where channels cannot be pruned. */
  get keepProbability(): number | null {
    return this.prune && keepProbability(this.prune);
  }

  /** Its term of the prior (docs/method.md, "Objective"). */
  complexity(): Complexity {
    return complexity(this, this.prior);
  }

  /** What checkpoints hold of it, by the names that stand before its own there. */
  get stored(): ReadonlyMap<string, Float64Array | Float32Array> {
    return new Map([
      ["gates", this.phi],
      ...(this.prune === null ? [] : [["prune", this.prune] as const]),
      ["range", this.range],
    ]);
  }

  /** The codes of a weight whose values it reads; 0 in channels of 32 bits, which have none. */
  encode(weight: Float32Array): IntegerCodes {
    const { bits, channelBits, range } = this;
    const { signed } = this.node;
    if (range.length === 1 && channelBits === null) {
      const shared = { xMax: this.xMax, signed };
      return { scale: Math.fround(stepSize(bits, shared)), codes: encode(weight, bits, shared) };
    }
    const { channels } = this.groups;
    // A pruned channel's codes are 0 on any grid.
    const bitsOf = (channel: number): GridBits => channelBits?.[channel] || bits;
    // As it trains: with ranges by channel, each channel in units of its own.
    const units = range.length === 1 ? this.xMax : 1;
    const inverse = range.map((xMax) => Math.fround(1 / Math.fround(xMax)));
    const own = range.length === 1 ? weight : weight.map((value, index) => value * inverse[index % channels]!);
    const codes = new Int32Array(own.length);
    for (const width of new Set(Array.from({ length: channels }, (_, channel) => bitsOf(channel)))) {
      if (width === 32) continue;
      const onGrid = encode(own, width, { xMax: units, signed });
      for (const [index, code] of onGrid.entries()) if (bitsOf(index % channels) === width) codes[index] = code;
    }
    const rangeOf = (channel: number) => (range.length === 1 ? this.xMax : at(range, channel));
    return {
      scale: Float32Array.from({ length: channels }, (_, channel) =>
        stepSize(bitsOf(channel), { xMax: rangeOf(channel), signed }),
      ),
      codes,
    };
  }

  /** What a pass makes of such gates. */
  protected sampled(levels: LevelGates, channels: readonly Gate[] | null): GateSample {
    return sampleOf(this.rangeParameters, levels, channels, this.groups);
  }

  protected testTimeChannels(): readonly Gate[] | null {
    return this.prune && testTimeChannels(this.prune);
  }
}

/** Expected bits of gates that are open with these probabilities, each by itself. */
function expectedBits(probabilities: readonly number[]): number {
  let reached = 1;
  let bits: number = bitWidths[0];
  for (const [level, probability] of probabilities.entries()) {
    reached *= probability;
    bits += reached * (at(bitWidths, level + 1) - at(bitWidths, level));
  }
  return bits;
}
