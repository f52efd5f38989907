import { first } from "../../core/elements.ts";
import { UsageError } from "../../core/errors.ts";
import { outputsOf, type TargetDescription, type Targets } from "../../data/targets.ts";
import type { Task } from "../task.ts";
import { calibrate } from "./calibrate.ts";
import { compareClasses } from "./class-agreement.ts";
import type { ClassificationFindings } from "./class-findings.ts";
import { classIndices } from "./class-indices.ts";
import { Confidences } from "./confidences.ts";
import { describeClassification } from "./description.ts";
import { largestIndex } from "./largest-index.ts";
import { RightAnswers } from "./right-answers.ts";
import { lostImages, worstImages } from "./worst-images.ts";

/** One class for each image: softmax cross-entropy on logits, judged by the share of images with the right class. */
export const classification = {
  targets: "classes",
  outputKind: "classes",
  create: (targets: TargetDescription): Task<ClassificationFindings> => {
    const classes = outputsOf(targets);
    if (classes < 2) {
      throw new UsageError(
        `task.name: classification chooses among classes, and there is ${classes === 1 ? "one output" : "none"}: take task.name regression, or multi-label`,
      );
    }
    return {
      name: "classification",
      outputs: classes,
      units: classes,
      softmax: classes,
      labelsFrom: (logits) => ({
        kind: "classes",
        values: Int32Array.from({ length: logits.length / classes }, (_, image) =>
          largestIndex(logits, image * classes, classes),
        ),
      }),
      description: describeClassification(classes),
      targets: (ops, { count, targets }) => [ops.tensor(classIndices(targets), [count])],
      loss: (ops, logits, labels) => ops.crossEntropy(logits, first(labels)),
      sums: (ops, logits, labels) => ({ correct: countEqual(ops.read(ops.argMax(logits)), ops.read(first(labels))) }),
      figures: ({ correct = 0 }, images) => ({ top1: (100 * correct) / images }),
      evaluator: () => new Top1(classes),
      agreement: (trainer) => compareClasses(classes, trainer),
      answers: () => new RightAnswers(),
      examiner: (imageShape, float) => {
        const confidences = new Confidences(imageShape, float);
        return {
          add: ({ outputs, images, targets }) =>
            confidences.add({ logits: outputs, images, labels: classIndices(targets) }),
          get findings() {
            const { confusion } = confidences;
            const compared = lostImages(confidences);
            return {
              task: "classification" as const,
              confusion,
              calibration: calibrate(confidences),
              worst: worstImages(confidences),
              ...(compared && { float: compared }),
            };
          },
        };
      },
    };
  },
} as const;

class Top1 {
  readonly #classes: number;
  #images = 0;
  #correct = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  add({ outputs, targets }: { readonly outputs: ArrayLike<number>; readonly targets: Targets }): void {
    for (const [image, label] of classIndices(targets).entries()) {
      if (largestIndex(outputs, image * this.#classes, this.#classes) === label) this.#correct++;
      this.#images++;
    }
  }

  get metrics() {
    return { top1: (100 * this.#correct) / this.#images };
  }
}

function countEqual(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let equal = 0;
  for (let index = 0; index < other.length; index++) if (one[index] === other[index]) equal++;
  return equal;
}
