import { roundHalfEven } from "../quantization/grid.ts";

const BINS = 2048;
/** Each end of the range is tried at so many shares of itself. */
const SHARES = Array.from({ length: 24 }, (_, index) => 1 - 0.035 * index);

/** The grid of an activation: value = step · (code - zero), codes from 0. */
export interface ActivationGrid {
  readonly bits: number;
  /** A float32. */
  readonly step: number;
  readonly zero: number;
}

/** The grid of 2^bits codes that reaches from `low` to `high`; zero is one of its values. */
export function activationGrid(bits: number, { low, high }: { low: number; high: number }): ActivationGrid {
  const codes = 2 ** bits - 1;
  const [lowest, highest] = [Math.min(low, 0), Math.max(high, 0)];
  const step = Math.fround((highest - lowest) / codes);
  if (!(step > 0)) return { bits, step: 1, zero: 0 };
  return { bits, step, zero: Math.min(codes, Math.max(0, roundHalfEven(-lowest / step))) };
}

/** What is known of an activation's values: their ends and, once those stand, how often each size occurs. */
export class ActivationStatistics {
  low = Number.POSITIVE_INFINITY;
  high = Number.NEGATIVE_INFINITY;
  finite = true;
  #counts: Float64Array | null = null;

  /** First over all values. */
  addEnds(values: ArrayLike<number>): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value < this.low) this.low = value;
      if (value > this.high) this.high = value;
      if (!Number.isFinite(value)) this.finite = false;
    }
  }

  /** Then over all values once more. */
  addCounts(values: ArrayLike<number>): void {
    this.#counts ??= new Float64Array(BINS);
    const scale = BINS / (this.high - this.low || 1);
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      // Zero is a value of every grid: however often it occurs, it costs nothing.
      if (value !== 0) this.#counts[Math.min(BINS - 1, Math.floor((value - this.low) * scale))]!++;
    }
  }

  /**
   * The grid with the least squared error, of all pairs of shares of the two ends; zero is always one of its values.
   * Values that never reach above or below zero get no codes there.
   */
  bestGrid(bits: number): ActivationGrid {
    const { low, high } = this;
    const covering = activationGrid(bits, { low, high });
    const counts = this.#counts;
    if (counts === null || bits > 8 || !(high > low)) return covering;
    let best = { grid: covering, error: this.#error(counts, covering) };
    for (const lower of low < 0 ? SHARES : [1]) {
      for (const upper of high > 0 ? SHARES : [1]) {
        const grid = activationGrid(bits, { low: low * lower, high: high * upper });
        const error = this.#error(counts, grid, best.error);
        if (error < best.error) best = { grid, error };
      }
    }
    return best.grid;
  }

  #error(counts: Float64Array, { bits, step, zero }: ActivationGrid, atMost = Number.POSITIVE_INFINITY): number {
    const width = (this.high - this.low) / BINS;
    const [lowest, highest] = [-zero, 2 ** bits - 1 - zero];
    // Inside the grid an error is even over a step; what lies outside is clipped.
    let error = 0;
    for (let bin = 0; bin < BINS && error <= atMost; bin++) {
      const count = counts[bin]!;
      if (count === 0) continue;
      const middle = this.low + (bin + 0.5) * width;
      const position = middle / step;
      const distance =
        position < lowest - 0.5 ? position - lowest : position > highest + 0.5 ? position - highest : null;
      error += count * (distance === null ? (step * step) / 12 : (distance * step) ** 2);
    }
    return error;
  }
}
