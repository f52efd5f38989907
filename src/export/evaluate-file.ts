import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf, UserError } from "../core/errors.ts";
import { readWholeFile } from "../core/read-file.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Metrics } from "../tasks/metric.ts";
import type { Task } from "../tasks/task.ts";
import { fileInput, type Pixels } from "./file-input.ts";
import { expandQuant, usesQuant } from "./onnx/expand-quant.ts";
import { encodeModelProto, externalFiles, type Model, readModel } from "./onnx/read-model.ts";
import { RuntimeModel } from "./runtime.ts";

const BATCH = 100;

/**
 * The metrics of an ONNX file on a test set, in onnxruntime; its input says whether it takes pixels or normalised
 * images, in which order of axes, and how many at once.
 *
 * @throws UserError when the file cannot be read, is not ONNX, does not take these images, or does not give numbers.
 */
export async function evaluateFile(
  file: string,
  dataset: Dataset,
  task: Task,
): Promise<{ readonly metrics: Metrics; readonly images: number }> {
  const bytes = readBytes(file);
  const read = readModel(bytes, file);
  const { batch: size, imagesOf } = fileInput(read, file, dataset);
  const model = await RuntimeModel.load(runnable(read, bytes, file), file);
  const { test } = dataset;
  const evaluator = task.evaluator();
  let images = 0;
  let unclear = 0;
  try {
    for await (const batch of test.batches({ batchSize: size ?? BATCH })) {
      const { count } = batch;
      if (count === 0) continue;
      const filled = size === null ? batch : repeated(batch, size);
      const { values, shape } = imagesOf(filled);
      const [outputs] = (await model.run(values, shape)).values();
      if (outputs?.length !== filled.count * task.outputs) {
        throw new UserError(`${file}: expected one output with ${task.outputs} values per image`);
      }
      for (let image = 0; image < count; image++) {
        const start = image * task.outputs;
        if (outputs.subarray(start, start + task.outputs).some(Number.isNaN)) unclear++;
      }
      evaluator.add({ ...batch, outputs: outputs.subarray(0, count * task.outputs) });
      images += count;
    }
  } finally {
    await model.release();
  }
  if (images === 0) throw new UserError(`cannot evaluate ${file}: no image could be read`);
  if (unclear > 0) {
    throw new UserError(
      `cannot evaluate ${file}: its output is not a number for ${unclear} of ${images} images: its weights are damaged or ` +
        "overflow; train or export it again",
    );
  }
  return { metrics: evaluator.metrics, images };
}

function readBytes(file: string): Uint8Array {
  try {
    return readWholeFile(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What the runtime loads: the file itself where its weights lie in others, which it finds beside it. */
function runnable(model: Model, bytes: Uint8Array, file: string): Uint8Array | string {
  const external = externalFiles(model);
  const missing = external.find((name) => !existsSync(resolve(dirname(file), name)));
  if (missing !== undefined) {
    throw new UserError(
      `cannot evaluate ${file}: its weights lie in ${missing}, which is not beside it: put it there, or save the model ` +
        "as one file",
    );
  }
  if (!usesQuant(model)) return external.length > 0 ? file : bytes;
  if (external.length > 0) {
    throw new UserError(
      `cannot evaluate ${file}: it has Quant nodes and its weights in other files: save it as one file`,
    );
  }
  return encodeModelProto(expandQuant(model, file));
}

/** A batch of `size` images, for a file that takes no other number: its first image fills what is missing. */
function repeated({ count, images }: Pixels, size: number): Pixels {
  if (count === size) return { count, images };
  const length = images.length / count;
  const filled = new Uint8Array(size * length);
  for (let image = 0; image < size; image++) filled.set(images.subarray(0, length), image * length);
  filled.set(images);
  return { count: size, images: filled };
}
