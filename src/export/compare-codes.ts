import { last } from "../core/elements.ts";
import { codeLimits, roundHalfEven, stepSize } from "../quantization/grid.ts";
import type { Verification } from "../runs/record.ts";
import type { FrozenNode, IntegerBits } from "./frozen-network.ts";

/** Values that have no grid count as equal within this share of the largest. */
const FLOAT_TOLERANCE = 1e-4;

/** How exactly a runtime rounds. */
export interface Rounding {
  /** Steps from a rounding boundary within which it may give the other code. */
  readonly steps: number;
  /** Share of the codes that may differ for that, where values do not lie there by construction. */
  readonly share: number;
}

/** Of runtimes that round sums by float32; onnxruntime adds codes that exactly. */
export const floatRounding: Rounding = { steps: 1e-4, share: 1e-4 };

/** So many codes that no rounding explains settle it: to compute more of them in float64 would take hours. */
const SETTLED = 1000;

export type LayerAgreement = Verification["layers"][number];

interface Grid {
  readonly bits: IntegerBits;
  readonly step: number;
  readonly limits: readonly [lowest: number, highest: number];
}

/** The values of one node for a batch. */
export interface Compared {
  readonly runtime: Float32Array;
  /** What the trainer's kernels make of the runtime's inputs. */
  readonly reference: Float32Array;
  /** What stands before quantization, by element, in float64. */
  readonly exact: (index: number) => number;
  /** The sum of the magnitudes of that element's terms. */
  readonly magnitude: (index: number) => number;
}

/**
 * Counts, batch by batch, how the runtime's value of one node compares with the trainer's for the same input. Codes of
 * a quantizer are integers; where the two differ, float64 decides which is right, so that only the runtime's own errors
 * count. Other values (logits, 32-bit activations) are compared in steps of 1e-4 of the largest.
 */
export class CodeComparison {
  readonly #name: string;
  readonly #grid: Grid | null;
  readonly #channels: number;
  readonly #floatError: number;
  readonly #rounding: Rounding;
  /** Values that a right runtime seldom has on the other side of a boundary: each counts once in its channel. */
  readonly #rare = new Set<string>();
  #elements = 0;
  #different = 0;
  #unexplained = 0;
  #largest = 0;
  #farthest = 0;

  /** @param floatError As `floatError` gives it. */
  constructor(name: string, end: FrozenNode, floatError: number, rounding: Rounding = floatRounding) {
    this.#name = name;
    this.#rounding = rounding;
    this.#floatError = floatError;
    this.#channels = last(end.outputShape);
    this.#grid =
      end.kind === "quantizer" && end.bits !== 32
        ? { bits: end.bits, step: stepSize(end.bits, end), limits: codeLimits(end.bits, end.signed) }
        : null;
  }

  /** Once it is settled that they disagree, what is left of a batch is not looked at. */
  add({ runtime, reference, exact, magnitude }: Compared): void {
    if (runtime.length !== reference.length) {
      this.#elements += reference.length;
      this.#different += reference.length;
      this.#unexplained += reference.length;
      this.#largest = Number.MAX_SAFE_INTEGER;
      return;
    }
    const grid = this.#grid;
    if (grid === null) {
      this.#elements += reference.length;
      const step = FLOAT_TOLERANCE * largestOf(reference);
      runtime.forEach((value, index) => {
        const difference = Math.floor(Math.abs(value - reference[index]!) / step);
        if (difference !== 0) this.#differs(difference);
      });
      return;
    }
    const { step, limits } = grid;
    for (let index = 0; index < reference.length && !this.settled; index++) {
      this.#elements++;
      const code = Math.round(runtime[index]! / step);
      if (code === Math.round(reference[index]! / step)) continue;
      const position = exact(index) / step;
      const right = Math.min(limits[1], Math.max(limits[0], roundHalfEven(position)));
      if (code === right) continue;
      this.#differs(Math.abs(code - right));
      const distance = errorOf(code, position, limits);
      if (Number.isFinite(distance)) this.#farthest = Math.max(this.#farthest, distance);
      const float = (this.#floatError * magnitude(index)) / step;
      if (!(distance <= Math.max(this.#rounding.steps, float))) this.#unexplained++;
      // Closer than both, a value may lie there by construction, in any number of places.
      else if (distance > Math.min(this.#rounding.steps, float)) {
        this.#rare.add(`${index % this.#channels}: ${Math.fround(position)}`);
      }
    }
  }

  #differs(difference: number): void {
    this.#different++;
    // Not a number is as far apart as can be.
    this.#largest = Math.max(this.#largest, Number.isFinite(difference) ? difference : Number.MAX_SAFE_INTEGER);
  }

  get result(): LayerAgreement {
    const equalCodes = this.#elements === 0 ? 100 : 100 * (1 - this.#different / this.#elements);
    return {
      name: this.#name,
      elements: this.#elements,
      equalCodes,
      largestDifference: this.#largest,
      boundaryDistance: this.#farthest,
    };
  }

  /** Whether they disagree in so many codes that none of the others can matter. */
  get settled(): boolean {
    return this.#unexplained >= SETTLED;
  }

  /** Elements whose code no rounding explains. */
  get unexplained(): number {
    return this.#unexplained;
  }

  /**
   * Codes: none differs where its value is farther from the code's rounding boundary than 1e-4 steps and than float32
   * sums can tell, and none of 8 bits or less is more than one apart. Values within both may be any: plain images repeat one value everywhere, and
   * two grids in a rational ratio put whole codes on boundaries. Of the others at most 0.01 % of the elements differ
   * (one, where there are few), counting a value once in its channel; of 16-bit codes more may, as float32 sums are no
   * finer than a few hundredths of their steps. Values without a grid: at most 0.01 % (one, where there are few) are apart
   * by more than 1e-4 of the largest, none by twice that.
   */
  get agrees(): boolean {
    const allowed = Math.max(1, this.#rounding.share * this.#elements);
    if (this.#grid === null) return this.#largest <= 1 && this.#different <= allowed;
    if (this.#unexplained > 0) return false;
    return this.#grid.bits === 16 || (this.#largest <= 1 && this.#rare.size <= allowed);
  }
}

/** How far a position, in steps, lies outside those that round to `code`; the outermost codes have all beyond them. */
const errorOf = (code: number, position: number, [lowest, highest]: Grid["limits"]): number =>
  Math.max(code === lowest ? 0 : code - 0.5 - position, code === highest ? 0 : position - code - 0.5);

function largestOf(values: Float32Array): number {
  let largest = Math.fround(1e-30);
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
