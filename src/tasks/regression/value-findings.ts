import { z } from "zod";
import { listOf } from "../../core/list-schema.ts";
import type { EvaluatedBatch, Examiner } from "../task.ts";

/** Outputs that are shown one by one; of many more the metrics tell. */
const shownOutputs = 6;
/** An odd number: no error lies in the middle of a bin. */
const binCount = 41;
/** Points of a scatter plot. */
const shownPoints = 300;

const finite = z.number();

/** What is found of a network that gives values on the test set. */
export const regressionFindings = z.object({
  task: z.literal("regression"),
  outputs: listOf(
    z.object({
      limit: finite.describe("the bins reach from -limit to limit"),
      errors: z.array(z.int().nonnegative()).describe("images by predicted less true value, in bins of equal width"),
      points: z.array(z.tuple([finite, finite])).describe("true and predicted value of images, evenly chosen from all"),
    }),
  ).describe("the first outputs"),
});

export type RegressionFindings = z.infer<typeof regressionFindings>;

/** Keeps true and predicted values of the first outputs. */
export class Residuals implements Examiner<RegressionFindings> {
  readonly #outputs: number;
  readonly #points: (readonly [truth: number, predicted: number])[][];

  constructor(outputs: number) {
    this.#outputs = outputs;
    this.#points = Array.from({ length: Math.min(shownOutputs, outputs) }, () => []);
  }

  add({ count, outputs, targets }: Pick<EvaluatedBatch, "count" | "outputs" | "targets">): void {
    this.#points.forEach((points, output) => {
      for (let image = 0; image < count; image++) {
        const at = image * this.#outputs + output;
        points.push([targets.values[at] ?? 0, outputs[at] ?? 0]);
      }
    });
  }

  get findings(): RegressionFindings {
    const outputs = this.#points.map((points) => ({ ...histogramOf(points), points: evenly(points) }));
    return { task: "regression", outputs };
  }
}

function histogramOf(points: readonly (readonly [truth: number, predicted: number])[]) {
  const residuals = points.map(([truth, predicted]) => predicted - truth);
  const limit = residuals.reduce((most, residual) => Math.max(most, Math.abs(residual)), 0);
  const errors = new Array<number>(binCount).fill(0);
  for (const residual of residuals) {
    // Where all are right, they lie in the middle.
    const place = limit === 0 ? 0.5 : (residual / limit + 1) / 2;
    errors[Math.min(binCount - 1, Math.floor(place * binCount))]!++;
  }
  return { limit, errors };
}

const evenly = (points: readonly (readonly [number, number])[]): [number, number][] => {
  const count = Math.min(shownPoints, points.length);
  return Array.from({ length: count }, (_, index) => [...points[Math.floor((index * points.length) / count)]!]);
};
