import { square } from "../../core/powers.ts";
import { codeLimits, roundHalfEven, stepSize } from "../../quantization/grid.ts";
import type { BitWidth } from "../../quantization/levels.ts";

const BINS = 2048;
/** The search shrinks the range in steps of 1 % down to 21 %. */
const CANDIDATES = 80;

/** The range whose outermost code stands for `largest`; signed grids are symmetric and end half a step before theirs. */
export const coveringRange = (largest: number, bits: BitWidth, signed: boolean): number =>
  signed ? (largest * (2 ** bits - 1)) / (2 ** bits - 2) : largest;

/** How often values of each size occur in an activation, up to the largest. */
export class ActivationHistogram {
  readonly #largest: number;
  readonly #signed: boolean;
  readonly #counts = new Float64Array(BINS);

  /** @param signed Whether values below zero count, by their size; otherwise they are zero on any grid. */
  constructor(largest: number, signed: boolean) {
    this.#largest = largest;
    this.#signed = signed;
  }

  add(values: ArrayLike<number>): void {
    const scale = BINS / this.#largest;
    for (let index = 0; index < values.length; index++) {
      const value = this.#signed ? Math.abs(values[index]!) : values[index]!;
      if (value <= 0) continue;
      this.#counts[Math.min(BINS - 1, Math.floor(value * scale))]!++;
    }
  }

  /** The range, of 80 from the covering one down, with the least squared error. */
  bestRange(bits: BitWidth): number {
    const signed = this.#signed;
    const covering = coveringRange(this.#largest, bits, signed);
    const [, highest] = codeLimits(bits, signed);
    const width = this.#largest / BINS;
    let best = { xMax: covering, error: Number.POSITIVE_INFINITY };
    for (let index = 0; index < CANDIDATES; index++) {
      const xMax = covering * (1 - 0.01 * index);
      const step = stepSize(bits, { xMax, signed });
      let error = 0;
      for (let bin = 0; bin < BINS; bin++) {
        if (this.#counts[bin] === 0) continue;
        const middle = (bin + 0.5) * width;
        error += this.#counts[bin]! * square(Math.min(highest, roundHalfEven(middle / step)) * step - middle);
      }
      if (error < best.error) best = { xMax, error };
    }
    return best.xMax;
  }
}
