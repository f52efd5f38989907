import type { Answers, EvaluatedBatch } from "../task.ts";
import { classIndices } from "./class-indices.ts";
import { classify } from "./classify.ts";

/** Of each image the probability of its class where the network is right; 0 where it is wrong. */
export class RightAnswers implements Answers {
  readonly #values: number[] = [];

  add({ outputs, targets }: Pick<EvaluatedBatch, "outputs" | "targets">): void {
    const labels = classIndices(targets);
    const classes = outputs.length / labels.length;
    for (const [image, truth] of labels.entries()) {
      const { predicted, confidence } = classify(outputs.subarray(image * classes, (image + 1) * classes), truth);
      // Logits that are no numbers are no answer.
      this.#values.push(predicted === truth && confidence > 0 ? confidence : 0);
    }
  }

  get values(): Float32Array {
    return Float32Array.from(this.#values);
  }
}
