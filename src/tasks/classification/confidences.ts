import { elementsOf } from "../../graph/shape.ts";
import { largestIndex } from "./largest-index.ts";

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

/** Images, [images, height, width, channels], with their logits, [images, classes], and true classes. */
interface ClassifiedBatch {
  readonly logits: Float32Array;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** What a network says of labelled images: the class it gives to each, how sure it is, and its worst mistakes. */
export class Confidences {
  /** [height, width, channels]. */
  readonly imageShape: readonly [number, number, number];
  /** Probability of the predicted class, image by image. */
  readonly confidence: number[] = [];
  readonly correct: boolean[] = [];
  /** Rows: true class; columns: predicted class. */
  readonly confusion: number[][] = [];
  #mistakes: Mistake[] = [];

  constructor(imageShape: readonly [number, number, number]) {
    this.imageShape = imageShape;
  }

  /** Wrong images of the highest confidence, most confident first. */
  get mistakes(): readonly Mistake[] {
    return this.#mistakes;
  }

  /** Takes the next images. */
  add({ logits, images, labels }: ClassifiedBatch): void {
    const classes = logits.length / labels.length;
    if (this.confusion.length === 0) {
      for (let truth = 0; truth < classes; truth++) this.confusion.push(new Array<number>(classes).fill(0));
    }
    const size = elementsOf(this.imageShape);
    for (const [image, truth] of labels.entries()) {
      const row = logits.subarray(image * classes, (image + 1) * classes);
      const { predicted, confidence, truthProbability } = classify(row, truth);
      const index = this.confidence.length;
      this.confidence.push(confidence);
      this.confusion[truth]![predicted]!++;
      this.correct.push(predicted === truth);
      if (predicted === truth) continue;
      const pixels = images.subarray(image * size, (image + 1) * size);
      this.#keep({ index, truth, predicted, confidence, truthProbability, pixels });
    }
  }

  #keep(mistake: Mistake): void {
    const least = this.#mistakes.at(-1);
    if (this.#mistakes.length === keptMistakes && least && mistake.confidence <= least.confidence) return;
    const place = this.#mistakes.findIndex(({ confidence }) => mistake.confidence > confidence);
    const copy = { ...mistake, pixels: mistake.pixels.slice() };
    this.#mistakes.splice(place < 0 ? this.#mistakes.length : place, 0, copy);
    this.#mistakes = this.#mistakes.slice(0, keptMistakes);
  }
}

/** The class of the largest logit, the first of equal ones, and two probabilities by softmax. */
function classify(logits: Float32Array, truth: number) {
  const predicted = largestIndex(logits, 0, logits.length);
  const largest = logits[predicted]!;
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return { predicted, confidence: 1 / sum, truthProbability: Math.exp(logits[truth]! - largest) / sum };
}
