/** How many of the images that a network gets wrong are kept. */
const keptMistakes = 24;

/** An image that the network got wrong. */
export interface Mistake {
  /** In order of evaluation, from 0. */
  readonly index: number;
  readonly truth: number;
  readonly predicted: number;
  readonly confidence: number;
  readonly truthProbability: number;
  /** [height, width, channels]. */
  readonly pixels: Uint8Array;
}

/** The mistakes of the highest confidence, most confident first; of equal ones those that came first. */
export class MostConfident<Kept extends Mistake> {
  #mistakes: Kept[] = [];

  get mistakes(): readonly Kept[] {
    return this.#mistakes;
  }

  add(mistake: Kept): void {
    const least = this.#mistakes.at(-1);
    if (this.#mistakes.length === keptMistakes && least && mistake.confidence <= least.confidence) return;
    const place = this.#mistakes.findIndex(({ confidence }) => mistake.confidence > confidence);
    const copy = { ...mistake, pixels: mistake.pixels.slice() };
    this.#mistakes.splice(place < 0 ? this.#mistakes.length : place, 0, copy);
    this.#mistakes = this.#mistakes.slice(0, keptMistakes);
  }
}
