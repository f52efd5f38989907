import { uniforms } from "../../../src/core/random.ts";

/** Random choices, one after the other: a function of seed and stream. */
export class Draw {
  readonly #seed: number;
  readonly #stream: string;
  #drawn = 0;

  constructor(seed: number, stream: string) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** From the open interval (0, 1). */
  uniform(): number {
    return uniforms({ seed: this.#seed, stream: this.#stream, counter: this.#drawn++ }, 1)[0]!;
  }

  /** An integer; both ends are drawn too. */
  int(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.uniform() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return Array.from(list, () => left.splice(this.int(0, left.length - 1), 1)[0]!);
  }

  /** So many numbers from (-scale, scale). */
  floats(length: number, scale = 1): Float32Array {
    const drawn = uniforms({ seed: this.#seed, stream: this.#stream, counter: this.#drawn++ }, length);
    return Float32Array.from(drawn, (value) => (2 * value - 1) * scale);
  }
}
