import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.ts";
import type { ByteBatch, Dataset } from "../data/dataset.ts";
import { RuntimeModel } from "./runtime.ts";

const BATCH = 100;

/** Normalised images, [batch, channels, height, width]. */
function channelsFirst({ imageShape, normalization }: Dataset, { images, labels }: ByteBatch): Float32Array {
  const [height, width, channels] = imageShape;
  const area = height * width;
  const values = new Float32Array(images.length);
  for (let image = 0; image < labels.length; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const scale = 1 / (255 * normalization.deviation[channel]!);
      const shift = normalization.mean[channel]! / normalization.deviation[channel]!;
      for (let pixel = 0; pixel < area; pixel++) {
        const byte = images[(image * area + pixel) * channels + channel]!;
        values[(image * channels + channel) * area + pixel] = byte * scale - shift;
      }
    }
  }
  return values;
}

/**
 * Top-1 (percent) of an ONNX file on a test set, in onnxruntime.
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
  const model = await RuntimeModel.load(bytes, file);
  const { test, imageShape, classes } = dataset;
  const [height, width, channels] = imageShape;
  let images = 0;
  let correct = 0;
  try {
    for await (const batch of test.batches({ batchSize: BATCH })) {
      const count = batch.labels.length;
      if (count === 0) continue;
      const outputs = await model.run(channelsFirst(dataset, batch), [count, channels, height, width]);
      const [logits] = outputs.values();
      if (logits?.length !== count * classes.length) {
        throw new UserError(`${file}: expected one output with ${classes.length} values per image`);
      }
      for (let image = 0; image < count; image++) {
        const row = logits.subarray(image * classes.length, (image + 1) * classes.length);
        if (row.indexOf(Math.max(...row)) === batch.labels[image]) correct++;
      }
      images += count;
    }
  } finally {
    await model.release();
  }
  if (images === 0) throw new UserError(`cannot evaluate ${file}: no image could be read`);
  return { top1: (100 * correct) / images, images };
}
