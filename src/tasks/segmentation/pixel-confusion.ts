import { at } from "../../core/elements.ts";
import { type Targets, voidPixel } from "../../data/targets.ts";
import { largestIndex } from "../classification/largest-index.ts";
import type { Metrics } from "../metric.ts";
import type { Evaluator } from "../task.ts";

/** Classes of pixels. The data set has been opened for this task: other targets are a defect. */
export function maskPixels({ kind, values }: Targets): Uint8Array {
  if (kind !== "masks") throw new Error(`segmentation of ${kind}`);
  return values;
}

/** The class of each pixel by the largest of its logits, [pixels, classes]. */
export const predictedPixels = (logits: ArrayLike<number>, classes: number): Uint8Array =>
  Uint8Array.from({ length: logits.length / classes }, (_, pixel) => largestIndex(logits, pixel * classes, classes));

/** Counts which classes of pixels are taken for which; void ones do not count. */
export class PixelConfusion implements Evaluator {
  /** Rows: true class; columns: predicted class. */
  readonly counts: readonly (readonly number[])[];
  readonly #counts: number[][];

  constructor(classes: number) {
    this.#counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    this.counts = this.#counts;
  }

  add({ outputs, targets }: Parameters<Evaluator["add"]>[0]): void {
    const predicted = predictedPixels(outputs, this.#counts.length);
    for (const [pixel, truth] of maskPixels(targets).entries())
      if (truth !== voidPixel) at(this.#counts, truth)[at(predicted, pixel)]!++;
  }

  /** Percent: the mean intersection over union of the classes that are there, and the share of pixels that are right. */
  get metrics(): Metrics {
    const unions = intersectionsOverUnions(this.#counts).flatMap((share) => share ?? []);
    const pixels = this.#counts.flat().reduce((sum, count) => sum + count, 0);
    const right = this.#counts.reduce((sum, row, index) => sum + at(row, index), 0);
    return {
      miou: unions.length === 0 ? 0 : (100 * unions.reduce((sum, share) => sum + share, 0)) / unions.length,
      pixelsRight: pixels === 0 ? 0 : (100 * right) / pixels,
    };
  }
}

/** Of each class, pixels that are it and are taken for it, by those that are one of both; null where there are none. */
export const intersectionsOverUnions = (counts: readonly (readonly number[])[]): readonly (number | null)[] =>
  counts.map((row, index) => {
    const both = at(row, index);
    const union =
      counts.reduce((sum, other) => sum + at(other, index), 0) + row.reduce((sum, count) => sum + count, 0) - both;
    return union === 0 ? null : both / union;
  });
