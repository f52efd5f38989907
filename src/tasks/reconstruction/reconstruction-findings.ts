import { z } from "zod";
import { at } from "../../core/elements.ts";
import { listOf } from "../../core/list-schema.ts";
import { encodePng } from "../../core/png.ts";
import { elementsOf } from "../../graph/shape.ts";
import { thumbnail } from "../classification/worst-images.ts";
import type { EvaluatedBatch, Examiner, Task } from "../task.ts";
import { ImageErrors, type ReconstructedImages } from "./image-errors.ts";

const binCount = 40;
/** Pictures of either kind. */
const shownImages = 8;

const count = z.int().nonnegative();
const error = z.number().nonnegative();

const shownImage = z.object({
  index: count.describe("in the test set, from 0"),
  truth: z.int().min(-1).describe("index of the class; -1: not known"),
  error,
  width: count,
  height: count,
  png: z.base64().describe("the image as PNG, large ones scaled down"),
  reconstructed: z.base64().describe("what the network makes of it"),
});

/** What is found of a network that gives images again on the test set. */
export const reconstructionFindings = z.object({
  task: z.literal("reconstruction"),
  limit: error.describe("the bins reach from 0 to it; the last one holds all above too"),
  bins: z.object({
    others: z.array(count).describe("images by their mean squared error"),
    anomalies: z.array(count).nullable().describe("of those that are anomalies; null: nothing says what is one"),
  }),
  classes: listOf(
    z.object({
      truth: count.describe("index of the class"),
      anomaly: z.boolean(),
      images: count,
      median: error,
      high: error.describe("below which 95 % of the errors lie"),
    }),
  ).describe("errors by class"),
  worst: listOf(shownImage).describe("images of the largest errors that are no anomalies"),
  missed: listOf(shownImage).describe("anomalies of the smallest errors"),
});

export type ReconstructionFindings = z.infer<typeof reconstructionFindings>;
type ShownImage = ReconstructionFindings["worst"][number];

interface KeptImage {
  readonly index: number;
  readonly pixels: Uint8Array;
  readonly outputs: Float32Array;
}

/** Keeps all errors, and pictures of the images that are reconstructed worst. */
export class ReconstructionExaminer implements Examiner<ReconstructionFindings> {
  readonly #of: ReconstructedImages;
  readonly #errors: ImageErrors;
  readonly #imageShape: Parameters<Task["examiner"]>[0];
  #worst: readonly KeptImage[] = [];
  #missed: readonly KeptImage[] = [];

  constructor(of: ReconstructedImages, imageShape: Parameters<Task["examiner"]>[0]) {
    this.#of = of;
    this.#errors = new ImageErrors(of);
    this.#imageShape = imageShape;
  }

  add(batch: EvaluatedBatch): void {
    const from = this.#errors.errors.length;
    this.#errors.add(batch);
    const size = this.#imageShape === null ? 0 : elementsOf(this.#imageShape);
    const kept = Array.from({ length: batch.count }, (_, image) => ({
      index: from + image,
      pixels: batch.images.subarray(image * size, (image + 1) * size),
      outputs: batch.outputs.subarray(image * size, (image + 1) * size),
    }));
    const errorOf = ({ index }: KeptImage) => at(this.#errors.errors, index);
    const isAnomaly = ({ index }: KeptImage) => this.#errors.isAnomaly(index);
    this.#worst = most([...this.#worst, ...kept.filter((image) => !isAnomaly(image))], errorOf);
    this.#missed = most([...this.#missed, ...kept.filter(isAnomaly)], (image) => -errorOf(image));
  }

  get findings(): ReconstructionFindings {
    const { errors } = this.#errors;
    const places = errors.map((_, index) => index);
    const sorted = errors.toSorted((one, other) => one - other);
    const limit = quantile(sorted, 0.99);
    const binsOf = (indices: readonly number[]) => {
      const bins = new Array<number>(binCount).fill(0);
      for (const index of indices)
        bins[limit === 0 ? 0 : Math.min(binCount - 1, Math.floor((binCount * at(errors, index)) / limit))]!++;
      return bins;
    };
    const anomalous = places.filter((index) => this.#errors.isAnomaly(index));
    const others = places.filter((index) => !this.#errors.isAnomaly(index));
    return {
      task: "reconstruction",
      limit,
      bins: { others: binsOf(others), anomalies: this.#of.anomalies === null ? null : binsOf(anomalous) },
      classes: this.#classes(),
      worst: this.#worst.flatMap((image) => this.#shown(image)),
      missed: this.#missed.flatMap((image) => this.#shown(image)),
    };
  }

  #classes(): ReconstructionFindings["classes"] {
    const byClass = new Map<number, number[]>();
    for (const [index, truth] of this.#errors.classes.entries()) {
      if (truth < 0) continue;
      const errors = byClass.get(truth) ?? [];
      errors.push(at(this.#errors.errors, index));
      byClass.set(truth, errors);
    }
    return Array.from(byClass, ([truth, errors]) => {
      const sorted = errors.toSorted((one, other) => one - other);
      const anomaly = this.#of.anomalies?.has(truth) ?? false;
      return { truth, anomaly, images: errors.length, median: quantile(sorted, 0.5), high: quantile(sorted, 0.95) };
    }).sort((one, other) => one.truth - other.truth);
  }

  #shown({ index, pixels, outputs }: KeptImage): readonly ShownImage[] {
    if (this.#imageShape === null) return [];
    const [picture, again] = [pixels, this.#pixels(outputs)].map((bytes) => thumbnail(bytes, this.#imageShape!));
    if (picture === undefined || again === undefined) return [];
    const { width, height } = picture;
    return [
      {
        ...{ index, truth: at(this.#errors.classes, index), error: at(this.#errors.errors, index), width, height },
        png: encodePng(picture).toString("base64"),
        reconstructed: encodePng(again).toString("base64"),
      },
    ];
  }

  /** Normalised values as bytes. */
  #pixels(values: Float32Array): Uint8Array {
    const { mean, deviation } = this.#of.normalization;
    return Uint8Array.from(values, (value, index) => {
      const channel = index % mean.length;
      return Math.min(255, Math.max(0, Math.round(255 * (value * at(deviation, channel) + at(mean, channel)))));
    });
  }
}

/** The images of the largest keys, copied: a batch's arrays are the engine's again. */
const most = (images: readonly KeptImage[], key: (image: KeptImage) => number): readonly KeptImage[] =>
  images
    .toSorted((one, other) => key(other) - key(one))
    .slice(0, shownImages)
    .map(({ index, pixels, outputs }) => ({ index, pixels: pixels.slice(), outputs: outputs.slice() }));

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
