import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import type { LayerwiseMethod } from "../config/sections/methods/layerwise-settings.ts";
import { makeFolder, writeFileAtomically } from "../core/atomic-file.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { kernelsOf } from "../export/kernels.ts";
import { defaultSaturation } from "../export/onnx/saturation.ts";
import { FileSession, runtimeName } from "../onnx/file-session.ts";
import { encodeModelProto } from "../onnx/onnx-model.ts";
import { parseBudget } from "../ptq/byte-budget.ts";
import { compareOutputs, type OutputComparison } from "../ptq/compare-outputs.ts";
import type { HarmTable } from "../ptq/harm-table.ts";
import type { Thresholds } from "../ptq/judge-outputs.ts";
import { loadModel } from "../ptq/load-model.ts";
import { namesMatcher } from "../ptq/name-patterns.ts";
import { quantizeModel } from "../ptq/quantize-model.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { readArrays } from "../ptq/read-samples.ts";
import { Samples } from "../ptq/samples.ts";
import type { granularities } from "../ptq/weight-site.ts";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { defaultMethod, solverFor } from "./choose-solver.ts";
import { judge } from "./judge-file.ts";
import { copyCompanions, placesOf, type QuantizedPlaces } from "./quantized-places.ts";

export interface QuantizeFileOptions {
  /** Where the file and what is known of it go; made where there is none. */
  readonly folder: string;
  readonly weights?: WeightBits;
  /** Widths of single layers, by patterns of their names; the first pattern that fits counts. */
  readonly layerBits?: Readonly<Record<string, WeightBits>>;
  /** What has a step: the whole weight, an output channel (default), or so many inputs of one in Gemm and MatMul. */
  readonly granularity?: (typeof granularities)[number];
  /** What weights may come to, as `25%`, `300kB` or `avg:4`: each gets 2, 4 or 8 bits, by what that does to the outputs. */
  readonly budget?: string;
  /** What the record of another run of the file has measured: with it a budget takes no measuring. */
  readonly table?: HarmTable;
  /** What finds the codes: all but `nearest` need `data`. */
  readonly method?: LayerwiseMethod;
  /** Optimizer steps of AdaRound for each layer. */
  readonly iterations?: number;
  /** Needs `data` unless it is 32: left in float. With data 8 if left out, else 32. */
  readonly activations?: 8 | 16 | 32;
  /** A .npz file with one array for each input, its samples along the first axis; or a .npy file for a sole input. */
  readonly data?: string;
  /** Refuses a file whose outputs have less, in dB, or keep the class of less, in percent. They need `data`. */
  readonly minSqnrDb?: number;
  readonly minAgreement?: number;
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
    layerBits = {},
    granularity = "channel",
    budget,
    table,
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
  const order = samples?.order(seed) ?? new Uint32Array();
  const heldOut = order.subarray(0, Math.max(1, Math.floor(order.length / HELD_OUT)));
  const calibrating = order.length > 1 ? order.subarray(heldOut.length) : order;
  const notes = notesOf(
    source.model.graph.node.map(({ opType }) => opType),
    samples,
  );
  for (const note of notes) reporter.warn(`${file}: ${note}`);
  reporter.info(
    `quantizing ${file}: ${budget === undefined ? `${weights}-bit weights` : `weights within ${budget}`} (${method}), ${activations}-bit activations`,
  );
  const skips = namesMatcher(skip.map((pattern) => [pattern, true]));
  const widths = namesMatcher(Object.entries(layerBits));
  const quantized = await quantizeModel(source.model, {
    ...{ activations, saturation, file },
    weights,
    bitsOf: widths,
    budget: budget === undefined ? null : { limit: parseBudget(budget), table: table ?? null },
    skips: (name) => skips(name) ?? false,
    granularity,
    calibration: samples && { samples, order: calibrating },
    solver: await solverFor({ method, iterations, granularity, seed, reporter }, data),
  });
  for (const note of quantized.notes) reporter.warn(`${file}: ${note}`);
  const path = join(folder, places.model);
  await using written = await FileSession.load(quantized.bytes, path);
  const outputs = samples === null ? null : await compareOutputs(float, written, { samples, order: heldOut });
  refuseInfinite(outputs ?? [], file);
  const asked: Partial<Thresholds> = {
    ...(minSqnrDb !== undefined && { minSqnrDb }),
    ...(minAgreement !== undefined && { minAgreement }),
  };
  const measureCosts = samples && (() => quantized.costs({ samples, order: heldOut }));
  const loss = await judge(file, { outputs: outputs ?? [], asked, measureCosts });
  if (loss !== null) reporter.warn(`${file}: ${loss.text}`);
  const { integer, float: kernelsInFloat } = await kernelsOf(quantized.bytes);
  const record: QuantizedRecord = {
    version: 1,
    source: { file, sha256: source.sha256, bytes: source.bytes },
    settings: {
      ...{
        method,
        granularity,
        weights,
        activations,
        saturation,
        data: data ?? null,
        skip: [...skip],
        layerBits: { ...layerBits },
        seed,
      },
      ...(iterations !== undefined && { iterations }),
    },
    bytes: quantized.bytes.length,
    layers: quantized.layers.map((layer) => ({ ...layer, shape: [...layer.shape] })),
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
