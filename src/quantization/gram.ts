import { at } from "../core/elements.ts";

/**
 * What least squares on a layer's output needs to know of the calibration rows, all sums in float64: X is [rows,
 * inputs], Y [rows, outputs].
 */
export interface GramSums {
  /** X^T X, [inputs, inputs]. */
  readonly products: Float64Array;
  /** Y^T X, [outputs, inputs]. */
  readonly cross: Float64Array;
  /** Σ y², [outputs]. */
  readonly energy: Float64Array;
}

/** Adds the sums up batch by batch; neither X nor Y need be kept. */
export class Gram implements GramSums {
  readonly inputs: number;
  readonly outputs: number;
  /** Its lower triangle is filled in by `finish`. */
  readonly products: Float64Array;
  readonly cross: Float64Array;
  readonly energy: Float64Array;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.products = new Float64Array(inputs * inputs);
    this.cross = new Float64Array(outputs * inputs);
    this.energy = new Float64Array(outputs);
  }

  /** Adds rows of X and of Y; `bias`, one per output, is taken off Y. */
  add(x: Float32Array, y: Float32Array | Float64Array, bias: ArrayLike<number> | null = null): void {
    const { inputs, outputs } = this;
    const rows = x.length / inputs;
    const block = new Float64Array(inputs * LANES);
    const targets = new Float64Array(outputs * LANES);
    for (let first = 0; first < rows; first += LANES) {
      const lanes = Math.min(LANES, rows - first);
      fill(block, x.subarray(first * inputs), lanes, null);
      fill(targets, y.subarray(first * outputs), lanes, bias);
      for (let i = 0; i < inputs; i++) {
        accumulate(this.products, i * inputs, i, block, block.subarray(i * LANES, (i + 1) * LANES));
      }
      for (let m = 0; m < outputs; m++) {
        const lane = targets.subarray(m * LANES, (m + 1) * LANES);
        accumulate(this.cross, m * inputs, 0, block, lane);
        this.energy[m]! += lane.reduce((total, value) => total + value * value, 0);
      }
    }
  }

  /** Completes the symmetric matrix; rows can still be added after it. */
  finish(): this {
    const { inputs, products } = this;
    for (let row = 0; row < inputs; row++) {
      for (let column = 0; column < row; column++) products[row * inputs + column] = products[column * inputs + row]!;
    }
    return this;
  }
}

/** Rows taken at a time: each element of the sums is loaded and stored once for so many rows. */
const LANES = 8;

/** Lays rows side by side, [length, LANES]; lanes without a row are zeros and add nothing. */
function fill(
  into: Float64Array,
  values: Float32Array | Float64Array,
  lanes: number,
  minus: ArrayLike<number> | null,
): void {
  const length = into.length / LANES;
  into.fill(0);
  for (let lane = 0; lane < lanes; lane++) {
    for (let index = 0; index < length; index++) {
      into[index * LANES + lane] = values[lane * length + index]! - (minus?.[index] ?? 0);
    }
  }
}

/** sums[offset + j] += Σ_lane factor_lane·block[j, lane] for j >= from; nothing where ReLU left only zeros. */
function accumulate(sums: Float64Array, offset: number, from: number, block: Float64Array, factors: Float64Array) {
  const [f0, f1, f2, f3] = [at(factors, 0), at(factors, 1), at(factors, 2), at(factors, 3)];
  const [f4, f5, f6, f7] = [at(factors, 4), at(factors, 5), at(factors, 6), at(factors, 7)];
  if (f0 === 0 && f1 === 0 && f2 === 0 && f3 === 0 && f4 === 0 && f5 === 0 && f6 === 0 && f7 === 0) return;
  const columns = block.length / LANES;
  for (let j = from, at = from * LANES; j < columns; j++, at += LANES) {
    sums[offset + j]! +=
      f0 * block[at]! +
      f1 * block[at + 1]! +
      f2 * block[at + 2]! +
      f3 * block[at + 3]! +
      f4 * block[at + 4]! +
      f5 * block[at + 5]! +
      f6 * block[at + 6]! +
      f7 * block[at + 7]!;
  }
}
