import { z } from "zod";
import { at } from "../../core/elements.ts";
import { listOf } from "../../core/list-schema.ts";
import { type ByteImage, encodePng } from "../../core/png.ts";
import { voidPixel } from "../../data/targets.ts";
import { elementsOf } from "../../graph/shape.ts";
import { thumbnail } from "../classification/worst-images.ts";
import type { EvaluatedBatch, Examiner, Task } from "../task.ts";
import { maskPixels, PixelConfusion, predictedPixels } from "./pixel-confusion.ts";

const shownImages = 8;
const count = z.int().nonnegative();

/** What is found of a network that gives a class for each pixel on the test set. */
export const segmentationFindings = z.object({
  task: z.literal("segmentation"),
  confusion: z.array(z.array(count)).describe("pixels; rows: true class; columns: predicted class"),
  worst: listOf(
    z.object({
      index: count.describe("in the test set, from 0"),
      right: z.number().min(0).max(1).describe("share of its pixels that have the right class"),
      width: count,
      height: count,
      png: z.base64().describe("the image as PNG, large ones scaled down"),
      truth: z.base64().describe("the same under its mask"),
      predicted: z.base64().describe("the same under the predicted mask"),
    }),
  ).describe("images of which the smallest share of pixels is right"),
});

export type SegmentationFindings = z.infer<typeof segmentationFindings>;

interface KeptImage {
  readonly index: number;
  readonly right: number;
  readonly pixels: Uint8Array;
  readonly truth: Uint8Array;
  readonly predicted: Uint8Array;
}

/** Counts pixels, and keeps the images that are segmented worst. */
export class SegmentationExaminer implements Examiner<SegmentationFindings> {
  readonly #classes: number;
  readonly #confusion: PixelConfusion;
  readonly #imageShape: Parameters<Task["examiner"]>[0];
  #images = 0;
  #worst: readonly KeptImage[] = [];

  constructor(classes: number, imageShape: Parameters<Task["examiner"]>[0]) {
    this.#classes = classes;
    this.#confusion = new PixelConfusion(classes);
    this.#imageShape = imageShape;
  }

  add(batch: EvaluatedBatch): void {
    this.#confusion.add(batch);
    const { count, images, outputs, targets } = batch;
    const [masks, predicted] = [maskPixels(targets), predictedPixels(outputs, this.#classes)];
    const [size, area] = [images.length / count, masks.length / count];
    const found = Array.from({ length: count }, (_, image) => {
      const partOf = (values: Uint8Array, length: number) => values.subarray(image * length, (image + 1) * length);
      const [truth, guess] = [partOf(masks, area), partOf(predicted, area)];
      const known = truth.reduce((sum, pixel) => sum + Number(pixel !== voidPixel), 0);
      const hits = truth.reduce((sum, pixel, place) => sum + Number(pixel === guess[place]), 0);
      const right = known === 0 ? 1 : hits / known;
      return { index: this.#images + image, right, pixels: partOf(images, size), truth, predicted: guess };
    });
    this.#images += count;
    this.#worst = [...this.#worst, ...found]
      .sort((one, other) => one.right - other.right)
      .slice(0, shownImages)
      .map(({ pixels, truth, predicted, ...rest }) => ({
        ...{ ...rest, pixels: pixels.slice(), truth: truth.slice(), predicted: predicted.slice() },
      }));
  }

  get findings(): SegmentationFindings {
    const confusion = this.#confusion.counts.map((row) => [...row]);
    return { task: "segmentation", confusion, worst: this.#worst.flatMap((image) => this.#shown(image)) };
  }

  #shown({ index, right, pixels, truth, predicted }: KeptImage): SegmentationFindings["worst"] {
    if (this.#imageShape === null || elementsOf(this.#imageShape) === 0) return [];
    const [height, width] = this.#imageShape;
    const small = thumbnail(pixels, this.#imageShape);
    const under = (mask: Uint8Array) => encodePng(overlaid(small, mask, [height, width])).toString("base64");
    return [
      {
        ...{ index, right, width: small.width, height: small.height, png: encodePng(small).toString("base64") },
        ...{ truth: under(truth), predicted: under(predicted) },
      },
    ];
  }
}

/** Colours of classes from 1 on, again and again; class 0, mostly the background, and void pixels have none. */
const colours = [
  [11, 98, 168],
  [226, 96, 26],
  [0, 140, 106],
  [170, 80, 184],
  [190, 150, 0],
  [173, 31, 87],
] as const;

/** The image in grey, with half of each class's colour over it. */
function overlaid(
  { width, height, channels, pixels }: ByteImage,
  mask: Uint8Array,
  [rows, columns]: readonly [number, number],
): ByteImage {
  const painted = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const own = pixels.subarray(pixel * channels, (pixel + 1) * channels);
    const grey = own.reduce((sum, value) => sum + value, 0) / channels;
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const label = at(mask, Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width));
    const colour = label === 0 || label === voidPixel ? null : at(colours, (label - 1) % colours.length);
    for (let channel = 0; channel < 3; channel++)
      painted[3 * pixel + channel] = colour === null ? grey : (grey + at(colour, channel)) / 2;
  }
  return { width, height, channels: 3, pixels: painted };
}
