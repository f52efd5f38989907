import type { NodeId } from "../graph/graph.ts";
import type { QuantizerNode } from "../kinds/quantizer.ts";
import { encode, stepSize } from "../quantization/grid.ts";
import type { Gate } from "../quantization/hard-concrete.ts";
import type { GridBits } from "../quantization/levels.ts";
import { type Complexity, complexity, type PriorWeight } from "../quantization/prior.ts";
import { keepProbability, keptChannels, testTimeChannels } from "./channel-gates.ts";
import { type Draw, type GateSample, type RangeParameters, sampleOf } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";
import { levelProbabilities, testTimeBits, testTimeLevels } from "./level-gates.ts";

/** What every quantizer has, on the host; the arrays are changed in place. */
export interface QuantizerParts {
  readonly node: QuantizerNode;
  /** phi of z_4, z_8, z_16, z_32. */
  readonly phi: Float64Array;
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
  readonly prune: Float64Array | null;
  readonly multiplies: readonly NodeId[];
  readonly range: Float64Array;
  readonly floor: Float64Array;
  readonly prior: PriorWeight;

  constructor({ node, phi, prune, multiplies, range, floor, prior }: QuantizerParts) {
    this.node = node;
    this.phi = phi;
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

  /** The gates at test time: the learned bit-width and the kept channels. */
  atTestTime(): GateSample {
    return sampleOf(this.rangeParameters, testTimeLevels(this.phi), this.testTimeChannels());
  }

  /** The bit-width at test time. */
  get bits(): GridBits {
    return testTimeBits(this.phi);
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

  /** Probability that the gate of each level is open, by itself. */
  get probabilities(): readonly number[] {
    return levelProbabilities(this.phi);
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

  /** The codes of a weight whose values it reads, at fewer than 32 bits. */
  encode(weight: Float32Array): IntegerCodes {
    const { bits, range } = this;
    const { signed } = this.node;
    if (range.length === 1) {
      const shared = { xMax: this.xMax, signed };
      return { scale: Math.fround(stepSize(bits, shared)), codes: encode(weight, bits, shared) };
    }
    // As it trains: each channel in units of its range.
    const inverse = range.map((xMax) => Math.fround(1 / Math.fround(xMax)));
    const units = weight.map((value, index) => value * inverse[index % inverse.length]!);
    return {
      scale: Float32Array.from(range, (xMax) => stepSize(bits, { xMax, signed })),
      codes: encode(units, bits, { xMax: 1, signed }),
    };
  }

  protected testTimeChannels(): readonly Gate[] | null {
    return this.prune && testTimeChannels(this.prune);
  }
}
