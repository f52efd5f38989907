import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../config/load-config.ts";
import type { RunConfig } from "../config/schema.ts";
import { data as dataSchema } from "../config/sections/data-settings.ts";
import { UsageError } from "../core/errors.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { evaluateFile } from "../export/evaluate-file.ts";
import { evaluateRun } from "../runner/evaluate-run.ts";
import type { Context } from "./context.ts";
import { printResult } from "./result.ts";

export interface EvaluateOptions {
  /** A run directory, or an ONNX file. */
  readonly target: string;
  readonly data?: string;
  readonly dataFolder?: string;
}

/** `evaluate`: top-1 on the test set of a run's checkpoint, or of an ONNX file in onnxruntime. */
export async function runEvaluate({ target, data, dataFolder }: EvaluateOptions, context: Context): Promise<void> {
  const { json, print, reporter } = context;
  const isFolder = existsSync(target) && statSync(target).isDirectory();
  if (!isFolder) {
    if (data === undefined)
      throw new UsageError(`evaluate ${target}: name the data set of an ONNX file with --data, as --data mnist`);
    const named = dataOf(data, dataFolder);
    const dataset = await loadDataset(named.data, { seed: named.seed, reporter });
    const { top1, images } = await evaluateFile(target, dataset);
    await dataset.close();
    return print(
      json
        ? JSON.stringify({ run: target, top1, images })
        : `${target}: ${top1.toFixed(2)} % top-1 on ${images} test images`,
    );
  }
  const { record, top1 } = await evaluateRun(target, context);
  if (record.result !== null) return printResult(target, { ...record, result: { ...record.result, top1 } }, context);
  print(
    json
      ? JSON.stringify({ run: target, top1 })
      : `${join(target)}: ${top1.toFixed(2)} % top-1 so far (the run is ${record.status})`,
  );
}

const knownNames = ["mnist", "fashion-mnist", "cifar10", "cifar100"];

/** The data of an ONNX file: a data set by name, or the `data` section of a configuration. */
function dataOf(data: string, folder: string | undefined): Pick<RunConfig, "data" | "seed"> {
  if (/\.(ya?ml|json)$/.test(data)) {
    if (folder !== undefined) throw new UsageError(`--data-folder ${folder}: ${data} says where the images are`);
    return loadConfig(data).config;
  }
  if (!knownNames.includes(data)) {
    throw new UsageError(
      `--data ${JSON.stringify(data)}: expected ${knownNames.join(", ")}, or a configuration file whose data section is meant`,
    );
  }
  if (data === "cifar100" && folder === undefined) {
    throw new UsageError(
      "--data cifar100: name the folder with its binary form, as --data-folder /data/cifar-100-binary",
    );
  }
  return { data: dataSchema.parse({ name: data, folder }), seed: 1 };
}
