import { type Mistake, MostConfident } from "./most-confident.ts";

/** An image that float32 got right and the network wrong. */
export interface LostImage extends Mistake {
  /** Probability that the float32 network gave the true class. */
  readonly floatConfidence: number;
}

/** What became, image by image, of what a network in float32 got right. */
export class FloatComparison {
  readonly #float: ArrayLike<number>;
  readonly #lost = new MostConfident<LostImage>();
  readonly #counts = { bothRight: 0, lost: 0, gained: 0, bothWrong: 0 };

  /** @param float Of each image the float32 network's probability of its class where it is right, else 0. */
  constructor(float: ArrayLike<number>) {
    this.#float = float;
  }

  /** Takes the next image. */
  add(answer: Mistake): void {
    const floatConfidence = this.#float[answer.index] ?? 0;
    const isRight = answer.predicted === answer.truth;
    if (floatConfidence === 0) this.#counts[isRight ? "gained" : "bothWrong"]++;
    else if (isRight) this.#counts.bothRight++;
    else {
      this.#counts.lost++;
      this.#lost.add({ ...answer, floatConfidence });
    }
  }

  /** Null where it were other images, as where a file has become unreadable in between. */
  get result() {
    const { bothRight, lost, gained, bothWrong } = this.#counts;
    const isOfAll = bothRight + lost + gained + bothWrong === this.#float.length;
    return isOfAll ? { ...this.#counts, mistakes: this.#lost.mistakes } : null;
  }
}
