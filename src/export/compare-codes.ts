import { codeLimits, roundHalfEven, stepSize } from "../quantization/grid.ts";
import type { Verification } from "../runs/record.ts";
import type { FrozenNode, IntegerBits } from "./frozen-network.ts";

/** Share of differing codes that rounding may explain: 0.01 %. */
const DIFFERENT_SHARE = 1e-4;
/** Values that have no grid count as equal within this share of the largest. */
const FLOAT_TOLERANCE = 1e-4;
/** Steps from a rounding boundary within which two correct runtimes may differ. */
const BOUNDARY = 1e-4;
/** What float32 can tell of a sum, as a share of its terms' magnitudes: two units in the last place. */
const SUM_ERROR = 2 ** -23;

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
  #elements = 0;
  #different = 0;
  #unexplained = 0;
  #largest = 0;
  #farthest = 0;

  constructor(name: string, end: FrozenNode) {
    this.#name = name;
    this.#grid =
      end.kind === "quantizer" && end.bits !== 32
        ? { bits: end.bits, step: stepSize(end.bits, end), limits: codeLimits(end.bits, end.signed) }
        : null;
  }

  add({ runtime, reference, exact, magnitude }: Compared): void {
    this.#elements += reference.length;
    if (runtime.length !== reference.length) {
      this.#different += reference.length;
      this.#unexplained += reference.length;
      this.#largest = Number.MAX_SAFE_INTEGER;
      return;
    }
    const grid = this.#grid;
    if (grid === null) {
      const step = FLOAT_TOLERANCE * largestOf(reference);
      runtime.forEach((value, index) => {
        const difference = Math.floor(Math.abs(value - reference[index]!) / step);
        if (difference !== 0) this.#differs(difference, false);
      });
      return;
    }
    const { step, limits } = grid;
    for (let index = 0; index < reference.length; index++) {
      const code = Math.round(runtime[index]! / step);
      if (code === Math.round(reference[index]! / step)) continue;
      const position = exact(index) / step;
      const right = Math.min(limits[1], Math.max(limits[0], roundHalfEven(position)));
      if (code === right) continue;
      const distance = boundaryDistance(position);
      this.#farthest = Math.max(this.#farthest, distance);
      const explained = distance <= BOUNDARY || distance <= (SUM_ERROR * magnitude(index)) / step;
      this.#differs(Math.abs(code - right), explained);
    }
  }

  #differs(difference: number, explained: boolean): void {
    this.#different++;
    // Not a number is as far apart as can be.
    this.#largest = Math.max(this.#largest, Number.isFinite(difference) ? difference : Number.MAX_SAFE_INTEGER);
    if (!explained) this.#unexplained++;
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

  /**
   * Codes: none is more than one apart, none differs where its value is farther from a rounding boundary than 1e-4
   * steps or than float32 sums can tell, and at most 0.01 % differ (one, where there are few). Of 16-bit codes more may
   * lie that close: float32 sums are no finer than a few hundredths of their steps. Values without a grid: at most
   * 0.01 % (one, where there are few) are apart by more than 1e-4 of the largest, none by twice that.
   */
  get agrees(): boolean {
    const allowed = Math.max(1, DIFFERENT_SHARE * this.#elements);
    if (this.#largest > 1) return false;
    if (this.#grid === null) return this.#different <= allowed;
    return this.#unexplained === 0 && (this.#grid.bits === 16 || this.#different <= allowed);
  }
}

/** Steps between `position`, in steps, and the nearest k + 1/2. */
const boundaryDistance = (position: number): number => Math.abs(position - Math.floor(position) - 0.5);

function largestOf(values: Float32Array): number {
  let largest = Math.fround(1e-30);
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
