import { at } from "../../core/elements.ts";
import { square } from "../../core/powers.ts";
import type { Normalization } from "../../data/dataset.ts";
import { normalized } from "../../data/normalized-pixels.ts";
import type { Metrics } from "../metric.ts";
import type { Evaluator } from "../task.ts";
import { areaUnderCurve } from "./area-under-curve.ts";

type EvaluatedBatch = Parameters<Evaluator["add"]>[0];

/** What is reconstructed. */
export interface ReconstructedImages {
  /** Values of an image. */
  readonly outputs: number;
  readonly normalization: Normalization;
  /** Class indices that are anomalies; null: nothing is said of it. */
  readonly anomalies: ReadonlySet<number> | null;
}

/** Each image's mean squared error, as the network sees images, and whether it is an anomaly. */
export class ImageErrors implements Evaluator {
  readonly #of: ReconstructedImages;
  readonly errors: number[] = [];
  /** Class indices; -1: not known. */
  readonly classes: number[] = [];
  /** Of the images that are none: sums of each value and of its square. */
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(of: ReconstructedImages) {
    this.#of = of;
    this.#sums = new Float64Array(of.outputs);
    this.#squares = new Float64Array(of.outputs);
  }

  /** Whether the image at an index of {@link errors} is an anomaly. */
  isAnomaly(index: number): boolean {
    return this.#of.anomalies?.has(at(this.classes, index)) ?? false;
  }

  add({ count, images, outputs, targets }: EvaluatedBatch): void {
    const { outputs: size, normalization, anomalies } = this.#of;
    const wanted = normalized(images, normalization);
    for (let image = 0; image < count; image++) {
      const truth = targets.kind === "classes" ? at(targets.values, image) : -1;
      const isNormal = !anomalies?.has(truth);
      let error = 0;
      for (let value = 0; value < size; value++) {
        const pixel = at(wanted, image * size + value);
        error += square(at(outputs, image * size + value) - pixel);
        if (!isNormal) continue;
        this.#sums[value]! += pixel;
        this.#squares[value]! += pixel * pixel;
      }
      this.errors.push(error / size);
      this.classes.push(truth);
    }
  }

  get metrics(): Metrics {
    const normal = this.errors.filter((_, index) => !this.isAnomaly(index));
    const squared = normal.reduce((sum, error) => sum + error, 0);
    // Where all are anomalies, of a part of the data, there is nothing to say.
    const images = Math.max(1, normal.length);
    const variation = this.#squares.reduce(
      (sum, squares, value) => sum + squares - square(at(this.#sums, value)) / images,
      0,
    );
    const found = {
      mse: squared / images,
      r2: variation > 0 ? 1 - (squared * this.#of.outputs) / variation : 0,
    };
    if (this.#of.anomalies === null) return found;
    const anomalous = this.errors.filter((_, index) => this.isAnomaly(index));
    return { auc: areaUnderCurve(anomalous, normal), ...found };
  }
}
