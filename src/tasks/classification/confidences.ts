import { elementsOf } from "../../graph/shape.ts";
import { classify } from "./classify.ts";
import { FloatComparison } from "./float-comparison.ts";
import { type Mistake, MostConfident } from "./most-confident.ts";

/** Images, [images, height, width, channels], with their logits, [images, classes], and true classes. */
interface ClassifiedBatch {
  readonly logits: Float32Array;
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** What a network says of labelled images: the class it gives to each, how sure it is, and its worst mistakes. */
export class Confidences {
  /** [height, width, channels]; null: there are no pictures. */
  readonly imageShape: readonly [number, number, number] | null;
  /** Probability of the predicted class, image by image. */
  readonly confidence: number[] = [];
  readonly correct: boolean[] = [];
  /** Rows: true class; columns: predicted class. */
  readonly confusion: number[][] = [];
  readonly #mistakes = new MostConfident<Mistake>();
  readonly #float: FloatComparison | null;

  /** @param float What a network in float32 gave these images, as {@link FloatComparison} takes it. */
  constructor(imageShape: readonly [number, number, number] | null, float: ArrayLike<number> | null = null) {
    this.imageShape = imageShape;
    this.#float = float && new FloatComparison(float);
  }

  /** Wrong images of the highest confidence, most confident first. */
  get mistakes(): readonly Mistake[] {
    return this.#mistakes.mistakes;
  }

  /** What became of what float32 got right; null where that is not known. */
  get againstFloat(): FloatComparison["result"] {
    return this.#float?.result ?? null;
  }

  /** Takes the next images. */
  add({ logits, images, labels }: ClassifiedBatch): void {
    const classes = logits.length / labels.length;
    if (this.confusion.length === 0) {
      for (let truth = 0; truth < classes; truth++) this.confusion.push(new Array<number>(classes).fill(0));
    }
    const size = this.imageShape === null ? 0 : elementsOf(this.imageShape);
    for (const [image, truth] of labels.entries()) {
      const row = logits.subarray(image * classes, (image + 1) * classes);
      const index = this.confidence.length;
      const pixels = images.subarray(image * size, (image + 1) * size);
      const answer = { index, truth, pixels, ...classify(row, truth) };
      const { predicted, confidence } = answer;
      this.confidence.push(confidence);
      this.confusion[truth]![predicted]!++;
      this.correct.push(predicted === truth);
      this.#float?.add(answer);
      if (predicted !== truth) this.#mistakes.add(answer);
    }
  }
}
