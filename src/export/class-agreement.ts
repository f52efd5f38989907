import type { Verification } from "../runs/record.ts";

/** Points of top-1 by which runtime and trainer may differ. */
export const TOP1_TOLERANCE = 0.05;
/** Percent of the images that must get the same class. */
export const SAME_CLASS = 99.9;
/**
 * Standard deviations of an image's logits within which two of its classes tie. Where sums of float32 end on the other
 * side of a rounding boundary, deep networks carry one code's difference on to the logits: up to 0.07 of these were
 * measured for ResNet-20 at 3 bits on CIFAR-10, and none at all for three images of five.
 */
const NEAR_TIE = 0.1;
/** Percent of the images that may differ by such ties. */
const MOST_TIES = 1;
/** Percentages are sums of shares: what is equal on paper may differ in the last digits. */
const SLACK = 1e-9;

export type PredictionAgreement = Pick<Verification, "images" | "top1" | "trainerTop1" | "sameClass" | "nearTies">;

/** The logits of one batch, [images, classes], row after row. */
export interface Logits {
  readonly runtime: ArrayLike<number>;
  readonly trainer: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/**
 * Counts, batch by batch, how the runtime's classes compare with the trainer's. An image that gets another class counts
 * as different unless the trainer has the two classes nearly tied; each such image may also count for another in top-1,
 * which the training measured with its own batches and so with other ties.
 */
export class ClassAgreement {
  readonly #classes: number;
  #images = 0;
  #runtime = 0;
  #trainer = 0;
  #same = 0;
  #ties = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  add({ runtime, trainer, labels }: Logits): void {
    for (let image = 0; image < labels.length; image++) {
      const first = image * this.#classes;
      const given = largestIndex(runtime, first, this.#classes);
      const expected = largestIndex(trainer, first, this.#classes);
      if (given === labels[image]) this.#runtime++;
      if (expected === labels[image]) this.#trainer++;
      if (given === expected) this.#same++;
      else if (trainer[first + expected]! - trainer[first + given]! <= NEAR_TIE * this.#deviation(trainer, first))
        this.#ties++;
    }
    this.#images += labels.length;
  }

  /** What was found; `trainerTop1` in percent as the training measured it, or null for what the logits give. */
  result(trainerTop1: number | null): PredictionAgreement {
    return {
      images: this.#images,
      top1: this.#percent(this.#runtime),
      trainerTop1: trainerTop1 ?? this.#percent(this.#trainer),
      sameClass: this.#percent(this.#same),
      nearTies: this.#ties,
    };
  }

  /** Whether that may be: a few images cannot resolve 0.05 points or 0.1 %; there, one image may differ. */
  agrees(trainerTop1: number | null): boolean {
    const { top1, trainerTop1: expected } = this.result(trainerTop1);
    const one = this.#percent(1);
    const tied = this.#percent(this.#ties);
    const different = this.#percent(this.#images - this.#same) - tied;
    return (
      Math.abs(top1 - expected) <= Math.max(TOP1_TOLERANCE, one) + tied + SLACK &&
      different <= Math.max(100 - SAME_CLASS, one) + SLACK &&
      tied <= Math.max(MOST_TIES, one) + SLACK
    );
  }

  #percent(count: number): number {
    return (100 * count) / this.#images;
  }

  #deviation(logits: ArrayLike<number>, first: number): number {
    let sum = 0;
    let squares = 0;
    for (let index = first; index < first + this.#classes; index++) {
      sum += logits[index]!;
      squares += logits[index]! ** 2;
    }
    const mean = sum / this.#classes;
    return Math.sqrt(Math.max(0, squares / this.#classes - mean * mean));
  }
}

/** Index of the largest of `length` values from `start` on, counted from `start`. */
export function largestIndex(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index++) if (values[start + index]! > values[start + best]!) best = index;
  return best;
}
