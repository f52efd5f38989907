import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { configSchema } from "../config/schema.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { evaluateFile } from "../export/evaluate-file.ts";
import { readLastCheckpoint } from "../runs/checkpoints.ts";
import { readRecord } from "../runs/record-file.ts";
import { evaluate } from "../training/evaluate.ts";
import { testSamples } from "../training/settings.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import type { Context } from "./context.ts";
import { prepare } from "./prepare.ts";
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
    if (data !== "mnist") throw new UsageError(`--data ${JSON.stringify(data)}: known data sets are mnist`);
    const dataset = await loadDataset({ name: data, folder: dataFolder, validationShare: 0 }, { seed: 1, reporter });
    const { top1, images } = await evaluateFile(target, dataset);
    return print(
      json
        ? JSON.stringify({ run: target, top1, images })
        : `${target}: ${top1.toFixed(2)} % top-1 on ${images} test images`,
    );
  }
  const record = readRecord(target);
  const checkpoint = readLastCheckpoint(target, reporter);
  const { model, trainer, dataset, config } = await prepare(configSchema.parse(record.config), context);
  restoreSnapshot(trainer, checkpoint.tensors, checkpoint.progress.step);
  const { top1 } = evaluate(model, dataset.test, {
    samples: testSamples(model),
    normalization: dataset.normalization,
    batchSize: config.data.evaluationBatchSize,
  });
  if (record.result !== null) return printResult(target, { ...record, result: { ...record.result, top1 } }, context);
  print(
    json
      ? JSON.stringify({ run: target, top1 })
      : `${join(target)}: ${top1.toFixed(2)} % top-1 so far (the run is ${record.status})`,
  );
}
