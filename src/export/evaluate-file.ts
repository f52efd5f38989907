import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../core/errors.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { largestIndex } from "./class-agreement.ts";
import { expandQuant, usesQuant } from "./onnx/expand-quant.ts";
import { encodeModelProto, inputTypeOf, readModel } from "./onnx/read-model.ts";
import { RuntimeModel } from "./runtime.ts";

const BATCH = 100;

/** Pixels, [batch, channels, height, width]. */
function pixelsOf({ imageShape }: Dataset, { images, labels }: ByteBatch): Uint8Array {
  const [height, width, channels] = imageShape;
  const area = height * width;
  const values = new Uint8Array(images.length);
  let position = 0;
  for (let image = 0; image < labels.length; image++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++) {
        values[position++] = images[(image * area + pixel) * channels + channel]!;
      }
    }
  }
  return values;
}

/** The same, normalised. */
function normalizedOf(dataset: Dataset, batch: ByteBatch): Float32Array {
  const [height, width, channels] = dataset.imageShape;
  const { mean, deviation } = dataset.normalization;
  return Float32Array.from(pixelsOf(dataset, batch), (byte, index) => {
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
  let images = 0;
  let correct = 0;
  try {
    for await (const batch of test.batches({ batchSize: BATCH })) {
      const count = batch.labels.length;
      if (count === 0) continue;
      const outputs = await model.run(imagesOf(dataset, batch), [count, channels, height, width]);
      const [logits] = outputs.values();
      if (logits?.length !== count * classes.length) {
        throw new UserError(`${file}: expected one output with ${classes.length} values per image`);
      }
      for (let image = 0; image < count; image++) {
        if (largestIndex(logits, image * classes.length, classes.length) === batch.labels[image]) correct++;
      }
      images += count;
    }
  } finally {
    await model.release();
  }
  if (images === 0) throw new UserError(`cannot evaluate ${file}: no image could be read`);
  return { top1: (100 * correct) / images, images };
}
