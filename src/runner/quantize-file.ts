import { existsSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeFolder } from "../core/atomic-file.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { sha256OfFile } from "../core/file-hash.ts";
import { silent } from "../core/progress.ts";
import { shortenNames } from "../core/shorten.ts";
import { kernelsOf } from "../export/kernels.ts";
import { defaultSaturation } from "../export/onnx/saturation.ts";
import { FileSession, runtimeName } from "../onnx/file-session.ts";
import { encodeModelProto, type Model } from "../onnx/onnx-model.ts";
import { parseBudget } from "../ptq/byte-budget.ts";
import { compareOutputs, type OutputComparison } from "../ptq/compare-outputs.ts";
import type { Thresholds } from "../ptq/judge-outputs.ts";
import { loadModel } from "../ptq/load-model.ts";
import { NamePatterns } from "../ptq/name-patterns.ts";
import { type QuantizedModel, quantizeModel } from "../ptq/quantize-model.ts";
import { quantizedNodes } from "../ptq/quantized-nodes.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { readArrays } from "../ptq/read-samples.ts";
import { Samples } from "../ptq/samples.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { defaultMethod, solverFor } from "./choose-solver.ts";
import { judge } from "./judge-file.ts";
import { checkOptions, type EarlierRun, type QuantizeFileOptions } from "./quantize-options.ts";
import { placesOf, type QuantizedPlaces } from "./quantized-places.ts";
import { writeQuantizedRun } from "./write-quantized-run.ts";

/** Of the samples, what is kept for the comparison: a quarter. */
const HELD_OUT = 4;

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
  checkOptions(options);
  const places = placesOf[layout](file, weights);
  makeFolder(folder);
  return whileLocked(acquireLock(folder, { force: false }), () => {
    const model = join(folder, places.model);
    if (existsSync(model) && existsSync(file) && realpathSync(model) === realpathSync(file)) {
      throw new UsageError(`${model} is the file itself, which stays: choose another folder with --out`);
    }
    const there = [recordFile, places.record, places.model].find((name) => existsSync(join(folder, name)));
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
    layerBits = {},
    granularity = "channel",
    budget,
    measured,
    data,
    method = defaultMethod({ weights: budget === undefined ? weights : 4, data, granularity }),
    iterations,
    activations = data === undefined ? 32 : 8,
    minSqnrDb,
    minAgreement,
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
  const dataSha256 = data === undefined ? null : sha256OfFile(data);
  if (measured !== undefined) requireSame({ file, sha256: source.sha256, data, dataSha256 }, measured);
  const order = samples?.order(seed) ?? new Uint32Array();
  const heldOut = order.subarray(0, Math.max(1, Math.floor(order.length / HELD_OUT)));
  const calibrating = order.length > 1 ? order.subarray(heldOut.length) : order;
  const notes = notesOf(source.model, samples);
  for (const note of notes) reporter.warn(`${file}: ${note}`);
  reporter.info(
    `quantizing ${file}: ${budget === undefined ? `${weights}-bit weights` : `weights within ${budget}`} (${method}), ${activations}-bit activations`,
  );
  const skips = new NamePatterns(skip.map((pattern) => [pattern, true]));
  const widths = new NamePatterns(Object.entries(layerBits));
  const quantized = await quantizeModel(source.model, {
    ...{ activations, saturation, file },
    weights,
    bitsOf: (name) => widths.find(name),
    budget: budget === undefined ? null : { limit: parseBudget(budget), table: measured?.table ?? null },
    skips: (name) => skips.find(name) ?? false,
    granularity,
    calibration: samples && { samples, order: calibrating },
    solver: await solverFor({ method, iterations, granularity, seed, reporter }, data),
  });
  const later = [...unusedNotes([...skips.unused, ...widths.unused], quantized), ...quantized.notes];
  for (const note of later) reporter.warn(`${file}: ${note}`);
  const path = join(folder, places.model);
  await using written = await FileSession.load(quantized.bytes, path);
  const outputs = samples === null ? null : await compareOutputs(float, written, { samples, order: heldOut });
  refuseInfinite(outputs ?? [], file);
  const asked: Partial<Thresholds> = {
    ...(minSqnrDb !== undefined && { minSqnrDb }),
    ...(minAgreement !== undefined && { minAgreement }),
  };
  const loss =
    samples === null || outputs === null
      ? null
      : await judge(file, {
          ...{ outputs, asked, activations: activations !== 32 },
          measureCosts: () => quantized.costs({ samples, order: heldOut }),
        });
  if (loss !== null) reporter.warn(`${file}: ${loss.text}`);
  const { integer, float: kernelsInFloat } = await kernelsOf(quantized.bytes);
  const noises = samples && (await quantized.noises({ samples, order: heldOut }));
  const record: Omit<QuantizedRecord, "files"> = {
    version: 1,
    source: { file: resolve(file), sha256: source.sha256, bytes: source.bytes },
    settings: {
      ...{
        method,
        granularity,
        weights,
        activations,
        saturation,
        data: data === undefined ? null : resolve(data),
        dataSha256,
        skip: [...skip],
        layerBits: { ...layerBits },
        seed,
      },
      ...(iterations !== undefined && { iterations }),
      ...asked,
    },
    bytes: quantized.bytes.length,
    layers: quantized.layers.map((layer, index) => ({
      ...{ ...layer, shape: [...layer.shape] },
      ...(noises?.[index] ?? { sqnrDb: null, same: false }),
    })),
    left: [...quantized.left],
    activations: Array.from(quantized.grids, ([name, grid]) => ({ name, ...grid })),
    plan: quantized.plan && {
      ...{ budget: budget ?? "" },
      table: quantized.plan.table,
      plans: quantized.plan.plans.map((plan) => ({ ...plan, bits: [...plan.bits] })),
    },
    calibrated: activations === 32 ? 0 : calibrating.length,
    comparison: outputs && { samples: heldOut.length, outputs: [...outputs] },
    loss,
    notes: [...notes, ...later],
    kernels: { integer, float: [...kernelsInFloat] },
    runtime: runtimeName,
    seconds: (performance.now() - started) / 1000,
  };
  return writeQuantizedRun(folder, { places, record, model: quantized.bytes, bits: quantized.bits });
}

function notesOf(model: Model, samples: Samples | null): readonly string[] {
  const notes: string[] = [];
  const already = quantizedNodes(model);
  if (already > 0) notes.push(`is quantized in part already (${already} nodes): only what is float is taken`);
  if (samples?.count === 1) notes.push("there is one sample: it is compared on what it was calibrated on");
  return notes;
}

/** Patterns of names that fitted none: what was to be protected is not. */
function unusedNotes(patterns: readonly string[], { layers, left }: QuantizedModel): readonly string[] {
  if (patterns.length === 0) return [];
  const names = shortenNames([...layers, ...left].map(({ name }) => name));
  return patterns.map((pattern) => `no layer fits "${pattern}"; layers are ${names}`);
}

/** @throws UserError where file or data are others than those of an earlier run. */
function requireSame(
  now: { file: string; sha256: string; data: string | undefined; dataSha256: string | null },
  { folder, sha256, dataSha256 }: EarlierRun,
): void {
  const changed = now.sha256 !== sha256 ? now.file : now.dataSha256 !== dataSha256 ? now.data : undefined;
  if (changed === undefined) return;
  throw new UserError(`${changed}: is not the file any more that ${folder} was made from: quantize with --budget anew`);
}

function refuseInfinite(outputs: readonly OutputComparison[], file: string): void {
  const wrong = outputs.filter(({ finite }) => !finite);
  if (wrong.length === 0) return;
  const names = wrong.map(({ name }) => `"${name}"`).join(", ");
  throw new UserError(
    `${file}: quantized, its output ${names} is not finite; give its weights more bits (--weights 8), or skip layers`,
  );
}
