import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.ts";
import type { Dataset } from "../data/dataset.ts";
import { RuntimeModel } from "./runtime.ts";

const BATCH = 100;

/** Normalised images `start` to `end`, [batch, channels, height, width]. */
function channelsFirst({ test, imageShape, normalization }: Dataset, start: number, end: number): Float32Array {
  const [height, width, channels] = imageShape;
  const area = height * width;
  const values = new Float32Array((end - start) * area * channels);
  for (let image = start; image < end; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const scale = 1 / (255 * normalization.deviation[channel]!);
      const shift = normalization.mean[channel]! / normalization.deviation[channel]!;
      for (let pixel = 0; pixel < area; pixel++) {
        const byte = test.images[(image * area + pixel) * channels + channel]!;
        values[((image - start) * channels + channel) * area + pixel] = byte * scale - shift;
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
  let correct = 0;
  try {
    for (let start = 0; start < test.count; start += BATCH) {
      const end = Math.min(test.count, start + BATCH);
      const outputs = await model.run(channelsFirst(dataset, start, end), [end - start, channels, height, width]);
      const [logits] = outputs.values();
      if (logits?.length !== (end - start) * classes.length) {
        throw new UserError(`${file}: expected one output with ${classes.length} values per image`);
      }
      for (let image = 0; image < end - start; image++) {
        const row = logits.subarray(image * classes.length, (image + 1) * classes.length);
        if (row.indexOf(Math.max(...row)) === test.labels[start + image]) correct++;
      }
    }
  } finally {
    await model.release();
  }
  return { top1: (100 * correct) / test.count, images: test.count };
}
