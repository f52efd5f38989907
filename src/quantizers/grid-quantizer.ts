import { at, first } from "../core/elements.ts";
import { type GridBits, type IntegerWidth, widest } from "../quantization/levels.ts";
import { type IntegerCodes, Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import { type GateSample, untouched } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

/** The bit-widths that a weight can be put on a grid of. */
const weightBits = [2, 3, 4, 8, 16] as const;
type WeightBits = (typeof weightBits)[number];

/** The grid that a weight has been put on: the weight holds step·code. */
export interface WeightSteps {
  /** Of the weight, or of each output channel; then each has a step of its own. */
  readonly bits: WeightBits | readonly IntegerWidth[];
  /** One for each output channel, the last axis, or one for all. */
  readonly steps: Float32Array;
}

const channelWidths = [2, 4, 8, 16] as const satisfies readonly IntegerWidth[];

/** The bit-widths that a checkpoint has of a weight with so many steps; null where they are none. */
export function storedGridBits(values: readonly number[], steps: number): WeightSteps["bits"] | null {
  if (values.length === 1) return weightBits.find((known) => known === values[0]) ?? null;
  const widths = values.flatMap((value) => channelWidths.find((known) => known === value) ?? []);
  return widths.length === steps && values.length === steps ? widths : null;
}

/** The quantizer of a weight that lies on a grid already: passes leave it as it is, and gates and range say nothing. */
export class GridQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[] = [];
  readonly #grid: WeightSteps;

  /** The range becomes that of the widest channel. */
  constructor(parts: QuantizerParts, grid: WeightSteps) {
    super(parts);
    this.#grid = grid;
    const { bits, steps } = grid;
    const ends = steps.map(
      (step, channel) => (step * (2 ** (typeof bits === "number" ? bits : at(bits, channel)) - 1)) / 2,
    );
    this.range.fill(Math.max(...ends));
  }

  override get bits(): GridBits {
    const { bits } = this.#grid;
    return typeof bits === "number" ? bits : widest(bits);
  }

  override get channelBits(): readonly IntegerWidth[] | null {
    const { bits } = this.#grid;
    return typeof bits === "number" ? null : bits;
  }

  sample(): GateSample {
    return untouched;
  }

  override atTestTime(): GateSample {
    return untouched;
  }

  withFixedGates(): this {
    return this;
  }

  override get stored(): ReadonlyMap<string, Float64Array | Float32Array> {
    const { bits, steps } = this.#grid;
    return new Map([
      ...super.stored,
      ["grid/bits", Float64Array.from(typeof bits === "number" ? [bits] : bits)],
      ["grid/steps", steps],
    ]);
  }

  /** The multiplication's rounding never reaches half a step. */
  override encode(weight: Float32Array): IntegerCodes {
    const { steps } = this.#grid;
    const codes = Int32Array.from(weight, (value, index) => Math.round(value / steps[index % steps.length]!));
    return { scale: steps.length === 1 ? first(steps) : steps, codes };
  }
}
