import { existsSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseQuantize } from "../config/load-quantize.ts";
import type { QuantizeConfig, QuantizeSettings, ResolvedQuantize } from "../config/quantize-schema.ts";
import { makeFolder } from "../core/atomic-file.ts";
import { StoppedError, UsageError, UserError } from "../core/errors.ts";
import { explainFileError } from "../core/file-errors.ts";
import { type Reporter, silent } from "../core/progress.ts";
import { kernelsOf } from "../export/kernels.ts";
import { defaultSaturation } from "../export/onnx/saturation.ts";
import { encodeModel, writtenLength } from "../onnx/encode-model.ts";
import { FileSession, runtimeName } from "../onnx/file-session.ts";
import { budgetText } from "../ptq/budget-text.ts";
import type { CalibrationData } from "../ptq/calibration-data.ts";
import { NOISE_SAMPLES } from "../ptq/layer-noise.ts";
import { type LoadedModel, loadModel } from "../ptq/load-model.ts";
import { checked, forgetful } from "../ptq/memo.ts";
import { NamePatterns } from "../ptq/name-patterns.ts";
import type { BudgetOptions } from "../ptq/plan-model.ts";
import { quantizeModel } from "../ptq/quantize-model.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import type { RowWidths } from "../ptq/row-errors.ts";
import { granularities } from "../ptq/weight-site.ts";
import { acquireLock, whileLocked } from "../runs/lock.ts";
import { recordFile } from "../runs/record-file.ts";
import { solverFor } from "./choose-solver.ts";
import { compareFile } from "./compare-file.ts";
import { measuredTable } from "./measured-table.ts";
import { openRunningData } from "./open-running-data.ts";
import { fileNotes, unusedNotes } from "./quantize-notes.ts";
import type { QuantizeFileOptions } from "./quantize-options.ts";
import { isStopped, QuantizeProgress, removeProgress } from "./quantize-progress.ts";
import { placesOf, type QuantizedPlaces } from "./quantized-places.ts";
import { programOf } from "./run-environment.ts";
import { watchProgress } from "./watch-progress.ts";
import { writeQuantizedRun } from "./write-quantized-run.ts";

/**
 * Quantizes the weights of any ONNX file, and with data its activations; everything else in it stays as it is. The
 * result is compared with it in onnxruntime on samples that calibration did not see.
 *
 * @param settings As a configuration file has them; what is left out has a default.
 * @returns The record, which `quantized.json` in the folder holds too.
 * @throws UsageError when settings or data do not fit the file; UserError when a file cannot be read, the runtime refuses
 * it, nothing is there to quantize, or what came out is not finite; StoppedError when it was stopped.
 */
export async function quantizeFile(settings: QuantizeSettings, options: QuantizeFileOptions): Promise<QuantizedRecord> {
  const { folder, force = false, resume = false } = options;
  if (force && resume) throw new UsageError("--resume and --force: expected one of them");
  const config = parseQuantize(settings);
  const { file } = config.network;
  const places = placesOf(config);
  try {
    makeFolder(folder);
  } catch (error) {
    throw new UserError(`cannot create the folder ${folder}: ${explainFileError(error)}; choose another with --out`, {
      cause: error,
    });
  }
  return whileLocked(acquireLock(folder, { force: false }), () => {
    const model = join(folder, places.model);
    if (isSameFile(model, file)) {
      throw new UsageError(`${model} is the file itself, which stays: choose another folder with --out`);
    }
    const stopped = isStopped(folder);
    if (stopped && !force && !resume) {
      throw new UsageError(`${folder} holds a run that was stopped: go on with --resume, or begin anew with --force`);
    }
    const own = [recordFile, places.record, places.model, places.weights];
    const there = own.find((name) => existsSync(join(folder, name)));
    // A run that is resumed may have been stopped while its files were written, or have begun with --force.
    const goesOn = stopped && resume;
    if (there === recordFile || (there !== undefined && !force && !goesOn)) {
      const remedy = there === recordFile ? "" : " replace it with --force, or";
      throw new UsageError(`${folder} holds ${there} already:${remedy} choose another folder with --out`);
    }
    return quantizeInto(config, places, options);
  });
}

const isSameFile = (one: string, other: string): boolean =>
  existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);

/** What blocks are weighed by, of all samples: as a run of a trained network has it. */
const WEIGHED_ON = { images: 512, positions: 32 };

async function quantizeInto(
  config: ResolvedQuantize,
  places: QuantizedPlaces,
  { folder, resume = false, reporter = silent, stop }: QuantizeFileOptions,
): Promise<QuantizedRecord> {
  const started = performance.now();
  const { file } = config.network;
  const source = loadModel(file);
  const weights = join(folder, places.weights);
  if ([...source.beside].some((path) => isSameFile(path, weights))) {
    throw new UsageError(`${weights} holds the weights of ${file}, which stay: choose another folder with --out`);
  }
  await using float = await FileSession.load(encodeModel(source.model), file);
  await using data = await openRunningData(config, float, reporter);
  const settings = await settled(config, data);
  const notes = [...fileNotes(source.model), ...(data?.notes ?? [])];
  say(notes, file, reporter);
  const { method, bits, skip } = config;
  const widths =
    method.codebooks !== undefined
      ? "weights as codes into codebooks"
      : "budget" in bits
        ? `weights within ${budgetText(bits.budget)}`
        : `${bits.weights}-bit weights`;
  const activations =
    bits.activations === "budget" ? "activations within it too" : `${bits.activations}-bit activations`;
  reporter.info(`quantizing ${file}: ${widths} (${method.name}), ${activations}`);
  const found = await solverFor(config, reporter);
  const solver = found?.solver ?? null;
  const environment = found?.environment ?? null;
  const budget = budgetOf(settings, source, { data, engine: found?.engine ?? null });
  const of = {
    ...{ sha256: source.sha256, dataSha256: data?.sha256 ?? null, settings, measured: budget?.table ?? null },
    ...{ program: programOf(), environment, runtime: runtimeName },
  };
  // Rounding to given widths takes no time worth keeping.
  const takesLong = solver !== null || "budget" in bits;
  if (!resume) removeProgress(folder);
  using progress = takesLong || resume ? new QuantizeProgress(folder, of, { resume }) : null;
  if (resume) reporter.info(`${file}: ${progress?.count} layers and measurements are known already`);
  const check = () => {
    if (stop?.aborted) throw new StoppedError(stop.reason, { folder, hasSaved: (progress?.count ?? 0) > 0 });
  };
  check();
  using watch = watchProgress(reporter.progress, check);
  const skips = new NamePatterns(skip.map((pattern) => [pattern, true]));
  const layerBits = new NamePatterns(Object.entries(bits.layers));
  const quantized = await quantizeModel(source.model, {
    ...{ activations: bits.activations, saturation: settings.export.saturation, file },
    weights: "weights" in bits ? bits.weights : 8,
    bitsOf: (name) => layerBits.find(name),
    budget,
    skips: (name) => skips.find(name) ?? false,
    granularity: granularities[method.granularity],
    calibration: data?.calibration ?? null,
    solver,
    codebooks: method.codebooks
      ? { settings: { ...method.codebooks, calibration: WEIGHED_ON }, seed: config.seed }
      : null,
    memo: checked(progress ?? forgetful, check),
    watch,
  });
  check();
  const path = join(folder, places.model);
  const later = [...unusedNotes([skips, layerBits], quantized), ...quantized.notes];
  say(later, file, reporter);
  const { comparison, loss, notes: compared } = await compareFile(quantized, { path, float, data, config, watch });
  say([...compared, ...(loss === null ? [] : [loss.text])], file, reporter);
  const { integer, float: kernelsInFloat } = await kernelsOf(quantized.encoded);
  const noises = data && (await quantized.noises(await data.firstCompared(NOISE_SAMPLES)));
  const record: Omit<QuantizedRecord, "files"> = {
    version: 2,
    source: { file: resolve(file), sha256: source.sha256, bytes: source.bytes },
    settings,
    dataSha256: data?.sha256 ?? null,
    bytes: writtenLength(quantized.encoded),
    layers: quantized.layers.map((layer, index) => ({
      ...{ ...layer, shape: [...layer.shape] },
      ...(noises?.[index] ?? { sqnrDb: null, same: false }),
    })),
    left: [...quantized.left],
    activations: Array.from(quantized.grids, ([name, grid]) => ({ name, ...grid })),
    plan: quantized.plan && {
      ...{ budget: "budget" in bits ? budgetText(bits.budget) : "" },
      table: quantized.plan.table,
      plans: quantized.plan.plans.map((plan) => ({
        ...plan,
        ...{ bits: [...plan.bits], activations: [...plan.activations] },
      })),
    },
    calibrated: bits.activations === 32 ? 0 : (data?.calibration.order.length ?? 0),
    comparison,
    loss,
    notes: [...notes, ...later, ...compared],
    kernels: { integer, float: [...kernelsInFloat] },
    runtime: runtimeName,
    seconds: (performance.now() - started) / 1000,
  };
  check();
  const finished = writeQuantizedRun(folder, { places, record, model: quantized.encoded, bits: quantized.bits });
  progress?.remove();
  return finished;
}

/** The settings with all that was found of what they leave out, and paths that are seen from anywhere. */
async function settled({ network, bits, ...config }: ResolvedQuantize, data: CalibrationData | null) {
  return {
    ...config,
    ...data?.settings,
    network: { file: resolve(network.file) },
    bits: "measured" in bits && bits.measured !== undefined ? { ...bits, measured: resolve(bits.measured) } : bits,
    export: { ...config.export, saturation: config.export.saturation ?? (await defaultSaturation()) },
  };
}

/** What widths may come to, with what was measured before; null: their width is given. */
function budgetOf(
  settings: QuantizeConfig,
  { sha256 }: LoadedModel,
  { data, engine }: { readonly data: CalibrationData | null; readonly engine: RowWidths["engine"] },
): BudgetOptions | null {
  const { bits } = settings;
  if (!("budget" in bits)) return null;
  const { budget, measured, granularity } = bits;
  const table =
    measured === undefined ? null : measuredTable(measured, { sha256, dataSha256: data?.sha256 ?? null, settings });
  return { limit: budget, table, ...(granularity !== "tensor" && { rows: { granularity, engine } }) };
}

const say = (notes: readonly string[], file: string, reporter: Reporter): void => {
  for (const note of notes) reporter.warn(`${file}: ${note}`);
};
