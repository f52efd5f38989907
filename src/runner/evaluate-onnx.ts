import { parseData } from "../config/parse-config.ts";
import type { DataSettings } from "../config/sections/data-settings.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { evaluateFile } from "../export/evaluate-file.ts";

export interface EvaluateOnnxOptions {
  /** The data set, as the section `data` of a configuration names it. */
  readonly data: DataSettings;
  /** Chooses which images are set aside, where the data set has no test images of its own. */
  readonly seed?: number;
  readonly reporter?: Reporter;
}

/**
 * Top-1 (percent) of an ONNX file on a data set's test images, in onnxruntime.
 *
 * @throws UsageError when settings are wrong; UserError when the file cannot be read or does not take these images, or
 * the data cannot be read.
 */
export async function evaluateOnnx(
  file: string,
  { data, seed = 1, reporter = silent }: EvaluateOnnxOptions,
): Promise<{ readonly top1: number; readonly images: number }> {
  const dataset = await loadDataset(parseData(data), { seed, reporter });
  try {
    return await evaluateFile(file, dataset);
  } finally {
    await dataset.close();
  }
}
