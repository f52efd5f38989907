import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.ts";
import type { Dataset } from "../data/dataset.ts";
import { largestIndex } from "./compare-predictions.ts";
import { expandQuant, usesQuant } from "./onnx/expand-quant.ts";
import { encodeModelProto, inputTypeOf, readModel } from "./onnx/read-model.ts";
import { RuntimeModel } from "./runtime.ts";

const BATCH = 100;

/** Pixels of images `start` to `end`, [batch, channels, height, width]. */
function pixelsOf({ test, imageShape }: Dataset, start: number, end: number): Uint8Array {
  const [height, width, channels] = imageShape;
  const area = height * width;
  const values = new Uint8Array((end - start) * area * channels);
  let position = 0;
  for (let image = start; image < end; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++) {
        values[position++] = test.images[(image * area + pixel) * channels + channel]!;
      }
    }
  }
  return values;
}

/** The same, normalised. */
function normalizedOf(dataset: Dataset, start: number, end: number): Float32Array {
  const [height, width, channels] = dataset.imageShape;
  const { mean, deviation } = dataset.normalization;
  return Float32Array.from(pixelsOf(dataset, start, end), (byte, index) => {
    const channel = Math.floor(index / (height * width)) % channels;
    return byte * (1 / (255 * deviation[channel]!)) - mean[channel]! / deviation[channel]!;
  });
}

/**
 * Top-1 (percent) of an ONNX file on a test set, in onnxruntime; its input says whether it takes pixels or normalised
 * images.
 *
 * @throws UserError when the file cannot be read, is not ONNX, or does not take these images.
 */
export async function evaluateFile(
  file: string,
  dataset: Dataset,
): Promise<{ readonly top1: number; readonly images: number }> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  const read = readModel(bytes, file);
  const imagesOf = inputTypeOf(read) === "uint8" ? pixelsOf : normalizedOf;
  const model = await RuntimeModel.load(usesQuant(read) ? encodeModelProto(expandQuant(read, file)) : bytes, file);
  const { test, imageShape, classes } = dataset;
  const [height, width, channels] = imageShape;
  let correct = 0;
  try {
    for (let start = 0; start < test.count; start += BATCH) {
      const end = Math.min(test.count, start + BATCH);
      const outputs = await model.run(imagesOf(dataset, start, end), [end - start, channels, height, width]);
      const [logits] = outputs.values();
      if (logits?.length !== (end - start) * classes.length) {
        throw new UserError(`${file}: expected one output with ${classes.length} values per image`);
      }
      for (let image = 0; image < end - start; image++) {
        if (largestIndex(logits, image * classes.length, classes.length) === test.labels[start + image]) correct++;
      }
    }
  } finally {
    await model.release();
  }
  return { top1: (100 * correct) / test.count, images: test.count };
}
