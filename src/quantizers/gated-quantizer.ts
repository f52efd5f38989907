import type { QuantizerNode } from "../graph/graph.ts";
import type { QuantizerSetting } from "../graph/node-kind.ts";
import {
  CLOSED_PARAMETER,
  deterministicGate,
  type Gate,
  isOpen,
  openProbability,
  sampleGate,
} from "../quantization/hard-concrete.ts";
import { type BitWidth, bitWidths, type GridBits, gatedWidths, type PerGate } from "../quantization/levels.ts";
import { type Complexity, complexity, type PriorWeight } from "../quantization/prior.ts";
import { type Term, telescope } from "../quantization/telescope.ts";

/** Uniform draws from (0, 1), in the order a quantizer asks for them: z_2 of every channel, then z_4, z_8 … */
export type Draw = (count: number) => ArrayLike<number>;

/** Sums over a tensor that the backward pass delivers, on the host. */
export interface BackwardSums {
  /** <g, x_q> - <g_x, x>, for each range. */
  readonly range: ArrayLike<number>;
  /** <g, z_2·X_b> by bit-width. */
  readonly levels: ReadonlyMap<number, number>;
  /** z_2·dL/dz_2 per channel; null when not asked for. */
  readonly channels: ArrayLike<number> | null;
}

/** Gradients of one quantizer's parameters. */
export interface QuantizerGradients {
  readonly phi: Float64Array;
  readonly prune: Float64Array | null;
  /** For each range. */
  readonly ranges: Float64Array;
}

/** Gates as drawn for one step. */
export interface Sample {
  readonly setting: QuantizerSetting;
  readonly gates: PerGate<Gate>;
  readonly terms: readonly Term[];
  readonly channels: readonly Gate[] | null;
}

const CLOSED: Gate = { value: 0, derivative: 0 };

/** Initial parameters of the gates. */
export interface InitialGates {
  readonly prune: number;
  readonly bits4: number;
  readonly bits8: number;
  readonly bits16: number;
  readonly bits32: number;
}

/** The grid that a weight has been put on: the weight holds step·code. */
export interface WeightSteps {
  readonly bits: Exclude<GridBits, 32>;
  /** One for each output channel, the last axis, or one for all. */
  readonly steps: Float32Array;
}

/** Whether gates are drawn and learn, or stay at their test-time values. */
export type GateState = "learned" | "fixed";

/** Parameters at and beyond which a gate is open or closed for certain: what a fixed bit-width is written as. */
const CERTAIN = 20;

/** One quantizer's learned parameters, kept on the host: a few numbers, whose kernels would cost more than they. */
export class GatedQuantizer {
  readonly node: QuantizerNode;
  /** phi of z_4, z_8, z_16, z_32. */
  readonly phi: Float64Array;
  /** phi of z_2 per output channel; null where channels cannot be pruned. */
  readonly prune: Float64Array | null;
  /** The range's end, of the tensor or of each output channel. */
  readonly range: Float64Array;
  readonly prior: PriorWeight;
  /** Of z_4, z_8, z_16, z_32. */
  levels: GateState;
  /** Of z_2. */
  channels: GateState = "learned";
  /** Set where the weight lies on a grid already: then passes leave it as it is, and gates and range say nothing. */
  grid: WeightSteps | null = null;

  constructor(
    node: QuantizerNode,
    {
      channels,
      initial,
      prior,
      levels = "learned",
      ranges = 1,
    }: { channels: number; initial: InitialGates; prior: PriorWeight; levels?: GateState; ranges?: number },
  ) {
    this.node = node;
    this.phi = Float64Array.of(initial.bits4, initial.bits8, initial.bits16, initial.bits32);
    this.prune = node.prunes ? new Float64Array(channels).fill(initial.prune) : null;
    this.range = new Float64Array(ranges).fill(1);
    this.prior = prior;
    this.levels = levels;
  }

  /** Fixes all gates where they stand at test time; training goes on with what they say. */
  fix(): void {
    this.levels = "fixed";
    this.channels = "fixed";
  }

  /** Sets the bit-width, for certain. */
  setBits(bits: BitWidth): void {
    this.phi.set(gatedWidths.map((level) => (level <= bits ? CERTAIN : -CERTAIN)));
  }

  /** Puts the weight on a grid; the range becomes that of the widest channel. */
  setGrid(grid: WeightSteps): void {
    this.grid = grid;
    this.range[0] = (Math.max(...grid.steps) * (2 ** grid.bits - 1)) / 2;
  }

  /** Of the tensor, or of its widest channel. */
  get xMax(): number {
    return this.range.reduce((widest, range) => Math.max(widest, range));
  }

  /** The ranges as a pass needs them. */
  get rangeSetting(): Pick<QuantizerSetting, "xMax" | "ranges"> {
    return { xMax: this.xMax, ranges: this.range.length === 1 ? null : Float32Array.from(this.range) };
  }

  /** Draws the gates of a training step; those that are fixed need no numbers. */
  sample(draw: Draw): Sample {
    if (this.grid !== null) return untouched;
    const channels =
      this.channels === "fixed"
        ? this.#openChannels()
        : this.prune && Array.from(zip(this.prune, draw(this.prune.length)), ([phi, u]) => sampleGate(phi, u));
    return sampleOf(
      this.rangeSetting,
      this.levels === "fixed" ? this.#openLevels() : this.#sampleLevels(draw),
      channels,
    );
  }

  #sampleLevels(draw: Draw): PerGate<Gate> {
    const gates: Gate[] = [];
    for (const phi of this.phi) {
      if (phi <= CLOSED_PARAMETER) break;
      gates.push(sampleGate(phi, draw(1)[0]!));
    }
    while (gates.length < gatedWidths.length) gates.push(CLOSED);
    return gates as unknown as PerGate<Gate>;
  }

  /** The gates at test time: the learned bit-width and the kept channels. */
  atTestTime(): Sample {
    if (this.grid !== null) return untouched;
    return sampleOf(this.rangeSetting, this.#openLevels(), this.#openChannels());
  }

  /** Gates without noise. */
  deterministic(): Sample {
    const gates = Array.from(this.phi, (phi) => ({ value: deterministicGate(phi), derivative: 0 }));
    const channels = this.prune && Array.from(this.prune, (phi) => ({ value: deterministicGate(phi), derivative: 0 }));
    return sampleOf(this.rangeSetting, gates as unknown as PerGate<Gate>, channels);
  }

  /** A pass that quantizes nothing; what the ReLU clips in whose place an activation's quantizer stands is clipped. */
  transparent(): Sample {
    return this.node.limit === null ? untouched : atFloat32(this.node.limit);
  }

  /** Learned bit-width, 2^(1 + number of leading open gates), or that of the grid. */
  get bits(): GridBits {
    return this.grid?.bits ?? bitWidths[this.#openLevels().filter(({ value }) => value === 1).length]!;
  }

  /** Indices of the channels whose gate is open; null where channels cannot be pruned. */
  get kept(): readonly number[] | null {
    return this.prune && Array.from(this.prune.keys()).filter((channel) => isOpen(this.prune![channel]!));
  }

  /** Probability that each gate is open, by itself. */
  get probabilities(): readonly number[] {
    return Array.from(this.phi, (phi) => openProbability(phi).value);
  }

  /** Mean probability that a channel is kept; null where channels cannot be pruned. */
  get keepProbability(): number | null {
    if (this.prune === null) return null;
    return this.prune.reduce((sum, phi) => sum + openProbability(phi).value, 0) / this.prune.length;
  }

  complexity(): Complexity {
    return complexity(this, this.prior);
  }

  /** Gradients of the loss: what the data say, through the sampled gates, and the prior. */
  gradients(sample: Sample, sums: BackwardSums, prior: Complexity, strength: number): QuantizerGradients {
    const phi = Float64Array.from(prior.gradient, (value) => strength * value);
    sample.gates.forEach(({ derivative }, gate) => {
      if (derivative === 0) return;
      const slope = sample.terms.reduce(
        (sum, { bits, derivatives }) => sum + derivatives[gate]! * (sums.levels.get(bits) ?? 0),
        0,
      );
      phi[gate]! += slope * derivative;
    });
    const prune = prior.pruneGradient && Float64Array.from(prior.pruneGradient, (value) => strength * value);
    sample.channels?.forEach(({ value, derivative }, channel) => {
      if (derivative !== 0) prune![channel]! += (sums.channels![channel]! / value) * derivative;
    });
    return { phi, prune, ranges: this.range.map((range, index) => sums.range[index]! / range) };
  }

  #openLevels(): PerGate<Gate> {
    const firstClosed = Array.from(this.phi).findIndex((phi) => !isOpen(phi));
    const open = firstClosed < 0 ? gatedWidths.length : firstClosed;
    return gatedWidths.map((_, level) => certain(level < open)) as unknown as PerGate<Gate>;
  }

  #openChannels(): readonly Gate[] | null {
    return this.prune && Array.from(this.prune, (phi) => certain(isOpen(phi)));
  }
}

/** A gate that no noise moves. */
const certain = (open: boolean): Gate => ({ value: open ? 1 : 0, derivative: 0 });

/** A range past every value of a network that works, and small enough to stay finite in float32. */
export const UNLIMITED = 1e30;

const open: Gate = certain(true);
const atFloat32 = (xMax: number): Sample => sampleOf({ xMax, ranges: null }, [open, open, open, open], null);
/** What a tensor passes unchanged. */
const untouched: Sample = atFloat32(UNLIMITED);

/** What the network needs to know of gates with these values, and what the gradients will need. */
export function sampleOf(
  ranges: Pick<QuantizerSetting, "xMax" | "ranges">,
  gates: PerGate<Gate>,
  channels: readonly Gate[] | null,
): Sample {
  const terms = telescope([gates[0].value, gates[1].value, gates[2].value, gates[3].value]);
  const learns = (term: Term) => term.derivatives.some((slope, gate) => slope !== 0 && gates[gate]!.derivative !== 0);
  const allOpen = channels?.every(({ value }) => value === 1) ?? true;
  return {
    gates,
    terms,
    channels,
    setting: {
      ...ranges,
      terms: terms.filter(({ weight }) => weight > 0),
      wanted: terms.filter(learns).map(({ bits }) => bits),
      channelGates: allOpen ? null : Float32Array.from(channels!, ({ value }) => value),
      wantsChannels: channels?.some(({ derivative }) => derivative !== 0) ?? false,
    },
  };
}

function* zip(a: ArrayLike<number>, b: ArrayLike<number>): Generator<readonly [number, number]> {
  for (let index = 0; index < a.length; index++) yield [a[index]!, b[index]!];
}
