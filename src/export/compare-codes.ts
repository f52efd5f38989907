import { stepSize } from "../quantization/grid.ts";
import type { Verification } from "../runs/record.ts";
import type { FrozenNode } from "./frozen-network.ts";

/** Share of differing codes that rounding may explain: 0.01 %. */
const DIFFERENT_SHARE = 1e-4;
/** Values that have no grid count as equal within this share of the largest. */
const FLOAT_TOLERANCE = 1e-4;
/** Float32 sums in another order differ by about this share of the range. */
const SUM_ERROR = 2 ** -19;
/** Steps from a rounding boundary within which two correct runtimes may differ, where sums are exact enough. */
const BOUNDARY = 1e-4;

export type LayerAgreement = Verification["layers"][number];

/**
 * Counts, batch by batch, how the runtime's value of one node compares with the reference's for the same input. Codes
 * of a quantizer are integers; other values (logits, 32-bit activations) are compared in steps of 1e-4 of the largest.
 */
export class CodeComparison {
  readonly #name: string;
  readonly #end: FrozenNode;
  #elements = 0;
  #different = 0;
  #unexplained = 0;
  #largest = 0;
  #farthest = 0;

  constructor(name: string, end: FrozenNode) {
    this.#name = name;
    this.#end = end;
  }

  /** `before` is what the reference has just before quantization. */
  add({ runtime, reference, before }: Compared): void {
    const end = this.#end;
    this.#elements += reference.length;
    if (runtime.length !== reference.length) {
      this.#different += reference.length;
      this.#unexplained += reference.length;
      this.#largest = Number.MAX_SAFE_INTEGER;
      return;
    }
    const grid = end.kind === "quantizer" && end.bits !== 32 ? { bits: end.bits, step: stepSize(end.bits, end) } : null;
    const step = grid?.step ?? FLOAT_TOLERANCE * largestOf(reference);
    for (let index = 0; index < reference.length; index++) {
      const difference =
        grid === null
          ? Math.floor(Math.abs(runtime[index]! - reference[index]!) / step)
          : Math.abs(Math.round(runtime[index]! / step) - Math.round(reference[index]! / step));
      if (difference === 0) continue;
      this.#different++;
      // Not a number is as far apart as can be.
      this.#largest = Math.max(this.#largest, Number.isFinite(difference) ? difference : Number.MAX_SAFE_INTEGER);
      if (grid === null) {
        this.#unexplained++;
        continue;
      }
      const distance = boundaryDistance(before[index]! / step);
      this.#farthest = Math.max(this.#farthest, distance);
      if (distance > boundaryTolerance(grid.bits)) this.#unexplained++;
    }
  }

  /** Equal codes are counted strictly; what `agrees` forgives still shows here. */
  get result(): LayerAgreement {
    const equalCodes = this.#elements === 0 ? 100 : 100 * (1 - this.#different / this.#elements);
    return { name: this.#name, elements: this.#elements, equalCodes, largestDifference: this.#largest };
  }

  /** How far, in steps, the farthest value that got another code lies from a rounding boundary. */
  get farthest(): number {
    return this.#farthest;
  }

  /**
   * No code is more than one apart, and at most 0.01 % differ (one, where there are few) where the value does not lie
   * so close to a rounding boundary that float32 sums in another order fall on either side.
   */
  get agrees(): boolean {
    return this.#largest <= 1 && this.#unexplained <= Math.max(1, DIFFERENT_SHARE * this.#elements);
  }
}

export interface Compared {
  readonly runtime: Float32Array;
  readonly reference: Float32Array;
  readonly before: Float32Array;
}

/** Steps between `position`, in steps, and the nearest k + 1/2. */
const boundaryDistance = (position: number): number => Math.abs(position - Math.floor(position) - 0.5);

/** What float32 can tell at a bit-width: with 16 bits its sums are no finer than an eighth of a step. */
export const boundaryTolerance = (bits: number): number => Math.max(BOUNDARY, SUM_ERROR * 2 ** bits);

function largestOf(values: Float32Array): number {
  let largest = Math.fround(1e-30);
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
