import { UserError } from "../core/errors.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Metrics } from "../tasks/metric.ts";
import type { Task } from "../tasks/task.ts";
import { DatasetModel } from "./dataset-model.ts";

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
  const model = await DatasetModel.open(file, dataset);
  const { test } = dataset;
  const evaluator = task.evaluator();
  let images = 0;
  let unclear = 0;
  try {
    for await (const batch of test.batches({ batchSize: model.batch ?? BATCH })) {
      const { count } = batch;
      if (count === 0) continue;
      const outputs = await model.outputs(batch);
      if (outputs.length !== count * task.outputs) {
        throw new UserError(`${file}: expected one output with ${task.outputs} values per image`);
      }
      for (let image = 0; image < count; image++) {
        const start = image * task.outputs;
        if (outputs.subarray(start, start + task.outputs).some(Number.isNaN)) unclear++;
      }
      evaluator.add({ ...batch, outputs });
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
