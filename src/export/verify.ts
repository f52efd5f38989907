import { readFileSync } from "node:fs";
import type { ExportInput } from "../config/sections/export-settings.ts";
import { messageOf, UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import type { Verification } from "../runs/record.ts";
import type { Agreement } from "../tasks/agreement.ts";
import { compareLayers } from "./compare-layers.ts";
import { comparePredictions } from "./compare-predictions.ts";
import { compareTensors } from "./compare-tensors.ts";
import type { FileRuntime } from "./file-runtime.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { kernelsOf } from "./kernels.ts";
import { expandQuant, usesQuant } from "./onnx/expand-quant.ts";
import type { Lowered } from "./onnx/model-frame.ts";
import { onnxFile } from "./onnx/onnx-file.ts";
import { readModel, tensorsOf } from "./onnx/read-model.ts";
import type { RuntimeOptions } from "./runtime.ts";
import type { TestImages } from "./test-batches.ts";

export interface VerifyOptions extends RuntimeOptions {
  /** The file's name, in messages too. */
  readonly file: string;
  /** Where its bytes lie as long as they do not have that name. */
  readonly readFrom?: string | undefined;
  /** What the file should hold. */
  readonly lowered: Pick<Lowered, "network" | "values" | "bytes">;
  readonly input: ExportInput;
  /** The network as it was trained. */
  readonly network: FrozenNetwork;
  readonly test: TestImages;
  readonly ops: Ops;
  /** The task's, fresh. */
  readonly agreement: Agreement;
  readonly reporter: Reporter;
}

/**
 * Compares the tensors of the ONNX file with those that were written, then runs it over the whole test set in a real
 * runtime and compares it with the trainer's kernels: layer by layer on the runtime's own inputs (codes), then by
 * predictions.
 *
 * @throws UserError when the file is damaged or disagrees, naming the first tensor or layer that differs.
 */
export async function verify({ readFrom, ...options }: VerifyOptions): Promise<Verification> {
  const { file, lowered, threads } = options;
  const bytes = readBytes(readFrom ?? file);
  const model = readModel(bytes, file);
  compareTensors(tensorsOf(model), tensorsOf(readModel(lowered.bytes, file)), file);
  // Runtimes have no Quant nodes: they run what these are defined to be.
  if (usesQuant(model)) return compareFile(onnxFile({ file, model: expandQuant(model, file), threads }), options);
  const compared = await compareFile(onnxFile({ file, model, bytes, threads }), options);
  return { ...compared, kernels: await layersOf(bytes) };
}

/**
 * Runs a file over the whole test set and compares it with the trainer's kernels: layer by layer, then by predictions.
 *
 * @throws UserError when it disagrees, naming the first layer that differs.
 */
export async function compareFile(runtime: FileRuntime, options: VerifyOptions): Promise<Verification> {
  const { test, reporter } = options;
  reporter.progress.start("verifying", test.count);
  try {
    const layers = await compareLayers({ ...options, runtime });
    const compared = await comparePredictions({ ...options, runtime });
    return { runtime: runtime.name, layers, ...compared };
  } finally {
    reporter.progress.stop();
  }
}

async function layersOf(bytes: Uint8Array) {
  const { integer, float } = await kernelsOf(bytes);
  return { integer, float: [...float] };
}

/** @throws UserError when the file cannot be read. */
export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
