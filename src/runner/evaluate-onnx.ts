import { parseData, parseTask } from "../config/parse-config.ts";
import type { DataSettings } from "../config/sections/data-settings.ts";
import type { TaskConfig } from "../config/sections/task-settings.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { evaluateFile } from "../export/evaluate-file.ts";
import { createTask, labelNeedsOf } from "../tasks/create-task.ts";
import type { Metrics, TaskDescription } from "../tasks/metric.ts";

export interface EvaluateOnnxOptions {
  /** The data set, as the section `data` of a configuration names it. */
  readonly data: DataSettings;
  /** What the network has learned; without it, classification. */
  readonly task?: TaskConfig | undefined;
  /** Chooses which images are set aside, where the data set has no test images of its own. */
  readonly seed?: number;
  readonly reporter?: Reporter;
}

/** What an ONNX file comes to on a data set's test images. */
export interface EvaluatedOnnx {
  readonly metrics: Metrics;
  /** What the metrics are, the main one first. */
  readonly task: TaskDescription;
  readonly images: number;
}

/**
 * Evaluates an ONNX file on a data set's test images, in onnxruntime.
 *
 * @throws UsageError when settings are wrong; UserError when the file cannot be read or does not take these images, or
 * the data cannot be read.
 */
export async function evaluateOnnx(
  file: string,
  { data, task: settings, seed = 1, reporter = silent }: EvaluateOnnxOptions,
): Promise<EvaluatedOnnx> {
  const chosen = parseTask(settings);
  const dataset = await loadDataset(parseData(data), { seed, reporter, ...labelNeedsOf(chosen) });
  try {
    const task = createTask(chosen, dataset.targets, dataset);
    return { ...(await evaluateFile(file, dataset, task)), task: task.description };
  } finally {
    await dataset.close();
  }
}
