import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import { makeFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { kernelsOf } from "../export/kernels.ts";
import { defaultSaturation } from "../export/onnx/saturation.ts";
import { FileSession, runtimeName } from "../onnx/file-session.ts";
import { encodeModelProto } from "../onnx/onnx-model.ts";
import { compareOutputs, type OutputComparison } from "../ptq/compare-outputs.ts";
import { loadModel } from "../ptq/load-model.ts";
import { quantizeModel } from "../ptq/quantize-model.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { readArrays } from "../ptq/read-samples.ts";
import { Samples } from "../ptq/samples.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { copyCompanions, placesOf, type QuantizedPlaces } from "./quantized-places.ts";

export interface QuantizeFileOptions {
  /** Where the file and what is known of it go; made where there is none. */
  readonly folder: string;
  readonly weights?: WeightBits;
  /** Needs `data` unless it is 32: left in float. With data 8 if left out, else 32. */
  readonly activations?: 8 | 16 | 32;
  /** A .npz file with one array for each input, its samples along the first axis; or a .npy file for a sole input. */
  readonly data?: string;
  /** Whether weights of 8 bits are int8 where x86 processors without VNNI could saturate; if left out, "allow" on others. */
  readonly saturation?: Saturation;
  /** Names of nodes that are left alone; `*` stands for anything. */
  readonly skip?: readonly string[];
  /** Whose names the files get; "plain", model.onnx, if left out. */
  readonly layout?: QuantizedLayout;
  /** Replaces what the folder holds. */
  readonly force?: boolean;
  readonly seed?: number;
  readonly reporter?: Reporter;
}

/** Of the samples, what is kept for the comparison: a quarter. */
const HELD_OUT = 4;
/** Operators that say that a file has been quantized already. */
const quantizing = /^(DequantizeLinear|QLinear.*|QGemm|DynamicQuantize.*|MatMulInteger.*|ConvInteger|MatMulNBits)$/;

/**
 * Quantizes the weights of any ONNX file, and with data its activations; everything else in it stays as it is. The
 * result is compared with it in onnxruntime on samples that calibration did not see.
 *
 * @returns The record, which `quantized.json` in the folder holds too.
 * @throws UsageError when settings or data do not fit the file; UserError when a file cannot be read, the runtime refuses
 * it, nothing is there to quantize, or what came out is not finite.
 */
export async function quantizeFile(file: string, options: QuantizeFileOptions): Promise<QuantizedRecord> {
  const { folder, weights = 8, layout = "plain", force = false } = options;
  const places = placesOf[layout](file, weights);
  makeFolder(folder);
  return whileLocked(acquireLock(folder, { force: false }), () => {
    const there = [places.record, recordFile].find((name) => existsSync(join(folder, name)));
    if (there === recordFile || (there !== undefined && !force)) {
      const remedy = there === recordFile ? "" : " replace it with --force, or";
      throw new UsageError(`${folder} holds ${there} already:${remedy} choose another folder with --out`);
    }
    return quantizeInto(file, places, options);
  });
}

async function quantizeInto(
  file: string,
  places: QuantizedPlaces,
  {
    folder,
    weights = 8,
    data,
    activations = data === undefined ? 32 : 8,
    saturation: wanted,
    skip = [],
    seed = 1,
    reporter = silent,
  }: QuantizeFileOptions,
): Promise<QuantizedRecord> {
  const started = performance.now();
  const saturation = wanted ?? (await defaultSaturation());
  const source = loadModel(file);
  await using float = await FileSession.load(encodeModelProto(source.model), file);
  const samples = data === undefined ? null : Samples.of(float.inputs, await readArrays(data), data);
  const order = samples?.order(seed) ?? new Uint32Array();
  const heldOut = order.subarray(0, Math.max(1, Math.floor(order.length / HELD_OUT)));
  const calibrating = order.length > 1 ? order.subarray(heldOut.length) : order;
  const notes = notesOf(
    source.model.graph.node.map(({ opType }) => opType),
    samples,
  );
  for (const note of notes) reporter.warn(`${file}: ${note}`);
  reporter.info(`quantizing ${file}: ${weights}-bit weights, ${activations}-bit activations`);
  const patterns = skip.map(patternOf);
  const quantized = await quantizeModel(source.model, {
    ...{ weights, activations, saturation, file },
    skips: (name) => patterns.some((pattern) => pattern.test(name)),
    calibration: samples && { samples, order: calibrating },
  });
  for (const note of quantized.notes) reporter.warn(`${file}: ${note}`);
  const path = join(folder, places.model);
  await using written = await FileSession.load(quantized.bytes, path);
  const outputs = samples === null ? null : await compareOutputs(float, written, { samples, order: heldOut });
  refuseInfinite(outputs ?? [], file);
  const { integer, float: kernelsInFloat } = await kernelsOf(quantized.bytes);
  const record: QuantizedRecord = {
    version: 1,
    source: { file, sha256: source.sha256, bytes: source.bytes },
    settings: { method: "nearest", weights, activations, saturation, data: data ?? null, skip: [...skip], seed },
    bytes: quantized.bytes.length,
    layers: quantized.layers.map((layer) => ({ ...layer, shape: [...layer.shape] })),
    left: [...quantized.left],
    activations: Array.from(quantized.grids, ([name, grid]) => ({ name, ...grid })),
    calibrated: activations === 32 ? 0 : calibrating.length,
    comparison: outputs && { samples: heldOut.length, outputs: [...outputs] },
    notes: [...notes, ...quantized.notes],
    kernels: { integer, float: [...kernelsInFloat] },
    runtime: runtimeName,
    seconds: (performance.now() - started) / 1000,
  };
  // A killed process leaves no record beside another's model.
  rmSync(join(folder, places.record), { force: true });
  if (places.companions !== null) copyCompanions(places.companions, folder);
  makeFolder(dirname(path));
  writeFileAtomically(path, quantized.bytes);
  writeFileAtomically(join(folder, places.record), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

function notesOf(operators: readonly string[], samples: Samples | null): readonly string[] {
  const notes: string[] = [];
  const already = operators.filter((operator) => quantizing.test(operator)).length;
  if (already > 0) notes.push(`is quantized in part already (${already} nodes): only what is float is taken`);
  if (samples?.count === 1) notes.push("there is one sample: it is compared on what it was calibrated on");
  return notes;
}

function refuseInfinite(outputs: readonly OutputComparison[], file: string): void {
  const wrong = outputs.filter(({ finite }) => !finite);
  if (wrong.length === 0) return;
  const names = wrong.map(({ name }) => `"${name}"`).join(", ");
  throw new UserError(
    `${file}: quantized, its output ${names} is not finite; give its weights more bits (--weights 8), or skip layers`,
  );
}

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );
