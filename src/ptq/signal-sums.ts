import { decibels } from "../core/decibels.ts";

type Numbers = Float32Array | Float64Array;

/** What is summed of expected numbers y and those in their place, ŷ, run by run. */
export class SignalSums {
  #signal = 0;
  #noise = 0;
  #product = 0;
  #other = 0;
  #finite = true;

  /** Numbers of one run, as many of both. */
  add(expected: Numbers, got: Numbers): void {
    let [signal, noise, product, other] = [0, 0, 0, 0];
    for (let index = 0; index < expected.length; index++) {
      const [x, y] = [expected[index]!, got[index]!];
      // What the file itself gives as infinite is its own.
      if (!Number.isFinite(x)) continue;
      if (!Number.isFinite(y)) {
        this.#finite = false;
        continue;
      }
      signal += x * x;
      noise += (x - y) * (x - y);
      product += x * y;
      other += y * y;
    }
    this.#signal += signal;
    this.#noise += noise;
    this.#product += product;
    this.#other += other;
  }

  /** Whether every ŷ is finite whose y is. */
  get finite(): boolean {
    return this.#finite;
  }

  /** Whether not one number differs. */
  get same(): boolean {
    return this.#finite && this.#noise === 0;
  }

  /** Signal-to-noise ratio, 10·log10(Σ y² / Σ (y - ŷ)²); null where either sum is 0. */
  get sqnrDb(): number | null {
    return this.#signal > 0 && this.#noise > 0 ? decibels(this.#signal / this.#noise) : null;
  }

  /** Of the angle between the two; null where one of them is zero. */
  get cosine(): number | null {
    const length = Math.sqrt(this.#signal * this.#other);
    return length > 0 ? this.#product / length : null;
  }
}
