import { first } from "../core/elements.ts";
import type { GridBits } from "../quantization/levels.ts";
import { type IntegerCodes, Quantizer, type QuantizerParts } from "./abstract-quantizer.ts";
import { type GateSample, untouched } from "./gate-sample.ts";
import type { LearnedNumbers } from "./learned-numbers.ts";

/** The bit-widths that a weight can be put on a grid of. */
export const weightBits = [2, 3, 4, 8, 16] as const;
type WeightBits = (typeof weightBits)[number];

/** The grid that a weight has been put on: the weight holds step·code. */
export interface WeightSteps {
  readonly bits: WeightBits;
  /** One for each output channel, the last axis, or one for all. */
  readonly steps: Float32Array;
}

/** The quantizer of a weight that lies on a grid already: passes leave it as it is, and gates and range say nothing. */
export class GridQuantizer extends Quantizer {
  readonly learned: readonly LearnedNumbers[] = [];
  readonly #grid: WeightSteps;

  /** The range becomes that of the widest channel. */
  constructor(parts: QuantizerParts, grid: WeightSteps) {
    super(parts);
    this.#grid = grid;
    this.range.fill((Math.max(...grid.steps) * (2 ** grid.bits - 1)) / 2);
  }

  override get bits(): GridBits {
    return this.#grid.bits;
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
    return new Map([...super.stored, ["grid/bits", Float64Array.of(bits)], ["grid/steps", steps]]);
  }

  /** The multiplication's rounding never reaches half a step. */
  override encode(weight: Float32Array): IntegerCodes {
    const { steps } = this.#grid;
    const codes = Int32Array.from(weight, (value, index) => Math.round(value / steps[index % steps.length]!));
    return { scale: steps.length === 1 ? first(steps) : steps, codes };
  }
}
