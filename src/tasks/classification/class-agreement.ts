import { square } from "../../core/powers.ts";
import type { Agreement } from "../agreement.ts";
import type { Figure, Metrics } from "../metric.ts";
import { classIndices } from "./class-indices.ts";
import { largestIndex } from "./largest-index.ts";

/** Points of top-1 by which runtime and trainer may differ. */
const TOP1_TOLERANCE = 0.05;
/** Percent of the images that must get the same class. */
const SAME_CLASS = 99.9;
/**
 * Standard deviations of a batch's logits within which two classes of an image tie. Where sums of float32 end on the
 * other side of a rounding boundary, deep networks carry one code's difference on to the logits (docs/export.md,
 * "Verification").
 */
const NEAR_TIE = 0.1;
/** Percent of the images that may differ by such ties. */
const MOST_TIES = 1;
/** Percentages are sums of shares: what is equal on paper may differ in the last digits. */
const SLACK = 1e-9;

/** What is compared, in words. */
interface ComparedWords {
  /** What has a class each. */
  readonly each: "images" | "pixels";
  /** The share of them that has the right one. */
  readonly metric: string;
}

/** Percent of the images, but for the counts of images and of ties. */
export interface ClassComparison {
  readonly images: number;
  readonly top1: number;
  readonly trainerTop1: number;
  readonly sameClass: number;
  readonly nearTies: number;
}

/** What both make of one batch. */
export interface ClassifiedBatch {
  /** Logits, [images, classes], row after row. */
  readonly runtime: ArrayLike<number>;
  readonly trainer: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

/**
 * Counts, batch by batch, how the runtime's classes compare with the trainer's. An image that gets another class counts
 * as different unless the trainer has the two classes nearly tied; if one of the two is right, it may also count for
 * another in top-1, which the training measured with its own batches and so with other ties.
 */
export class ClassAgreement {
  readonly #classes: number;
  readonly #trainerTop1: number | null;
  readonly #words: ComparedWords;
  #images = 0;
  #runtime = 0;
  #trainer = 0;
  #same = 0;
  #ties = 0;
  /** Those of them of which runtime or trainer have the right class. */
  #decisiveTies = 0;

  /** @param trainerTop1 In percent as the training measured it; null: what the logits give. */
  constructor(classes: number, trainerTop1: number | null, words: ComparedWords = { each: "images", metric: "top-1" }) {
    this.#classes = classes;
    this.#trainerTop1 = trainerTop1;
    this.#words = words;
  }

  add({ runtime, trainer, labels }: ClassifiedBatch): void {
    const margin = NEAR_TIE * deviationOf(trainer);
    for (let image = 0; image < labels.length; image++) {
      const first = image * this.#classes;
      const given = largestIndex(runtime, first, this.#classes);
      const expected = largestIndex(trainer, first, this.#classes);
      const label = labels[image];
      if (given === label) this.#runtime++;
      if (expected === label) this.#trainer++;
      if (given === expected) this.#same++;
      else if (trainer[first + expected]! - trainer[first + given]! <= margin) {
        this.#ties++;
        if (given === label || expected === label) this.#decisiveTies++;
      }
    }
    this.#images += labels.length;
  }

  get result(): ClassComparison {
    return {
      images: this.#images,
      top1: this.#percent(this.#runtime),
      trainerTop1: this.#trainerTop1 ?? this.#percent(this.#trainer),
      sameClass: this.#percent(this.#same),
      nearTies: this.#ties,
    };
  }

  /** Whether that may be: a few images cannot resolve 0.05 points or 0.1 %; there, one image may differ. */
  get agrees(): boolean {
    const { top1, trainerTop1 } = this.result;
    const one = this.#percent(1);
    const different = this.#percent(this.#images - this.#same - this.#ties);
    return (
      Math.abs(top1 - trainerTop1) <= Math.max(TOP1_TOLERANCE, one) + this.#percent(this.#decisiveTies) + SLACK &&
      different <= Math.max(100 - SAME_CLASS, one) + SLACK &&
      this.#percent(this.#ties) <= Math.max(MOST_TIES, one) + SLACK
    );
  }

  /** What of it may not be; null where all may. */
  get disagreement(): string | null {
    if (this.agrees) return null;
    const { top1, trainerTop1, sameClass, nearTies } = this.result;
    const { each, metric } = this.#words;
    return (
      `${metric} ${top1.toFixed(2)} % against ${trainerTop1.toFixed(2)} % (at most ${TOP1_TOLERANCE} points apart), ` +
      `the same class for ${sameClass.toFixed(2)} % (at least ${SAME_CLASS} %), ` +
      `but for ${nearTies} ${each} with nearly tied classes (at most ${MOST_TIES} %).`
    );
  }

  #percent(count: number): number {
    return (100 * count) / this.#images;
  }
}

/** The same for the exporter. `trainer`: as the training measured it; null: what the logits give. */
export function compareClasses(classes: number, trainer: Metrics | null): Agreement {
  const compared = new ClassAgreement(classes, trainer?.top1 ?? null);
  return {
    add: ({ targets, ...batch }) => compared.add({ ...batch, labels: classIndices(targets) }),
    get result() {
      const { images, top1, trainerTop1, sameClass, nearTies } = compared.result;
      const agreement = agreementOf(sameClass, nearTies);
      return { images, metrics: { top1 }, trainerMetrics: { top1: trainerTop1 }, agreement };
    },
    get disagreement() {
      return compared.disagreement;
    },
  };
}

/** The record's figures. @param nearTies Of older records not known. */
export const agreementOf = (sameClass: number, nearTies: number | undefined): Figure[] => [
  { key: "sameClass", label: "same class", unit: "%", digits: 2, value: sameClass },
  ...(nearTies === undefined || nearTies === 0
    ? []
    : [{ key: "nearTies", label: "another class, nearly tied", unit: "images", digits: 0, value: nearTies }]),
];

function deviationOf(values: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < values.length; index++) {
    sum += values[index]!;
    squares += square(values[index]!);
  }
  const mean = sum / values.length;
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
}
