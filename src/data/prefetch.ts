/** Reads a sequence ahead of the one who takes it; never more than `ahead` and the one that is taken are under way. */
import { first } from "../core/elements.ts";
export class Prefetch<Place, T> {
  readonly #options: PrefetchOptions<Place, T>;
  #underWay: { readonly place: Place; readonly value: Promise<T> }[] = [];

  constructor(options: PrefetchOptions<Place, T>) {
    this.#options = options;
  }

  /** What is at `place`: at once when it follows what was taken last and has been read by now. */
  async take(place: Place): Promise<T> {
    const { next } = this.#options;
    const ahead = this.#options.ahead(place);
    if (JSON.stringify(this.#underWay[0]?.place) !== JSON.stringify(place)) {
      this.#underWay = [];
      this.#start(place);
    }
    const { value } = first(this.#underWay);
    for (let last = this.#underWay.at(-1)!; this.#underWay.length <= ahead; last = this.#underWay.at(-1)!) {
      const following = next(last.place);
      if (following === null) break;
      this.#start(following);
    }
    this.#underWay.shift();
    return value;
  }

  #start(place: Place): void {
    const value = this.#options.read(place);
    // A failure is told to the one who takes it, and to nobody when it is never taken.
    value.catch(() => {});
    this.#underWay.push({ place, value });
  }
}

export interface PrefetchOptions<Place, T> {
  /** Reads begun before they are asked for, when this is taken. */
  readonly ahead: (place: Place) => number;
  readonly read: (place: Place) => Promise<T>;
  /** What follows; null at the end. */
  readonly next: (place: Place) => Place | null;
}
