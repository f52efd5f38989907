import { join } from "node:path";
import { loadImages } from "../config/load-config.ts";
import { UsageError } from "../core/errors.ts";
import { pathStats } from "../core/path-stats.ts";
import { type EvaluateOnnxOptions, evaluateOnnx } from "../runner/evaluate-onnx.ts";
import { evaluateRun } from "../runner/evaluate-run.ts";
import { metricsText } from "../tasks/metric.ts";
import type { Context } from "./context.ts";
import { requireMaxDrop } from "./max-drop.ts";
import { printResult } from "./result.ts";

export interface EvaluateOptions {
  /** A run directory, or an ONNX file. */
  readonly target: string;
  readonly data?: string;
  readonly dataFolder?: string;
  /** Of a run, as of train. */
  readonly maxDrop?: number;
}

/** `evaluate`: the metrics on the test set of a run's checkpoint, or of an ONNX file in onnxruntime. */
export async function runEvaluate(
  { target, data, dataFolder, maxDrop }: EvaluateOptions,
  context: Context,
): Promise<void> {
  const { json, print, reporter } = context;
  const found = pathStats(target);
  if (found === undefined) throw new UsageError(`evaluate ${target}: there is no such run folder or ONNX file`);
  const given = data !== undefined ? "--data" : dataFolder !== undefined ? "--data-folder" : null;
  if (found.isDirectory() && given !== null) {
    throw new UsageError(`evaluate ${target}: ${given} is for an ONNX file; a run is evaluated on its own data`);
  }
  if (!found.isDirectory() && maxDrop !== undefined) {
    throw new UsageError(`evaluate ${target}: --max-drop is for a run; nothing in float32 is known of an ONNX file`);
  }
  if (!found.isDirectory()) {
    if (data === undefined)
      throw new UsageError(`evaluate ${target}: name the data set of an ONNX file with --data, as --data mnist`);
    const { metrics, task, images } = await evaluateOnnx(target, { ...dataOf(data, dataFolder), reporter });
    return print(
      json
        ? JSON.stringify({ run: target, ...metrics, images })
        : `${target}: ${metricsText(task, metrics)} on ${images} test images`,
    );
  }
  const { record, metrics } = await evaluateRun(target, context);
  if (record.result !== null) {
    const now = { ...record, result: { ...record.result, metrics } };
    return requireMaxDrop(target, printResult(target, now, context), maxDrop);
  }
  if (maxDrop !== undefined) throw new UsageError(`evaluate ${target}: --max-drop is for a finished run`);
  print(
    json
      ? JSON.stringify({ run: target, ...metrics })
      : `${join(target)}: ${metricsText(record.task, metrics)} so far (the run is ${record.status})`,
  );
}

/** The data of an ONNX file: a data set by name, or the `data` section of a configuration. */
function dataOf(data: string, folder: string | undefined): Pick<EvaluateOnnxOptions, "data" | "seed" | "task"> {
  if (/\.(ya?ml|json)$/.test(data)) {
    if (folder !== undefined) throw new UsageError(`--data-folder ${folder}: ${data} says where the images are`);
    return loadImages(data);
  }
  switch (data) {
    case "mnist":
    case "fashion-mnist":
    case "cifar10":
      return { data: { name: data, folder } };
    case "cifar100":
      if (folder !== undefined) return { data: { name: data, folder } };
      throw new UsageError(
        "--data cifar100: name the folder with its binary form, as --data-folder /data/cifar-100-binary",
      );
    default:
      throw new UsageError(
        `--data ${JSON.stringify(data)}: expected mnist, fashion-mnist, cifar10, cifar100, or a configuration file whose data section is meant`,
      );
  }
}
