import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { isConfiguration, loadQuantizeData } from "../config/load-quantize.ts";
import type { QuantizeSettings } from "../config/quantize-schema.ts";
import { runName } from "../config/run-name.ts";
import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import type { FileMethod } from "../config/sections/methods/layerwise-settings.ts";
import { granularityNames } from "../config/sections/quantize-settings.ts";
import type { Source } from "../config/source.ts";
import { UsageError } from "../core/errors.ts";
import { parseBudget } from "../ptq/budget-text.ts";
import { folderData } from "../ptq/folder-data.ts";
import { loadModel } from "../ptq/load-model.ts";
import { weightBits } from "../quantization/weight-grid.ts";
import type { WidthGranularity } from "../quantization/width-granularity.ts";

/** Options of `quantize` that are settings. */
export interface QuantizeArguments {
  readonly model: string;
  readonly weights?: string;
  readonly budget?: string;
  readonly granularity?: string;
  readonly widthGranularity?: string;
  readonly activations?: string;
  readonly data?: string;
  readonly minSqnr?: string;
  readonly minAgreement?: string;
  readonly saturation?: Saturation;
  readonly layout?: QuantizedLayout;
  readonly skip: readonly string[];
  readonly method?: FileMethod;
  readonly iterations?: string;
  /** As NAME=BITS. */
  readonly layerBits: readonly string[];
}

const activationBits = [8, 16, 32] as const;

/** Which option gives a setting. */
const places: Source["places"] = new Map([
  ["data", "--data"],
  ["bits.weights", "--weights"],
  ["bits.budget", "--budget"],
  ["bits.granularity", "--width-granularity"],
  ["bits.activations", "--activations"],
  ["bits.layers", "--layer-bits"],
  ["method.name", "--method"],
  ["method.iterations", "--iterations"],
  ["method.granularity", "--granularity"],
  ["skip", "--skip"],
  ["verify.minSqnrDb", "--min-sqnr"],
  ["verify.minAgreement", "--min-agreement"],
  ["export.layout", "--layout"],
  ["export.saturation", "--saturation"],
]);

/** The settings that options stand for. @throws UsageError that names the option. */
export function settingsOf(options: QuantizeArguments): Source {
  const { model, budget, data, method, iterations, granularity, widthGranularity, minSqnr, minAgreement } = options;
  if (budget !== undefined && options.weights !== undefined) {
    throw new UsageError("--weights and --budget: expected one of them: a budget chooses the bits of weights");
  }
  if (widthGranularity !== undefined && budget === undefined) {
    throw new UsageError(
      `--width-granularity ${widthGranularity}: a budget chooses the widths of output channels: give one with --budget, as --budget 12.5%`,
    );
  }
  const ofWidths = widthGranularity === undefined ? {} : { granularity: widthGranularityOf(widthGranularity) };
  const weights = oneOf("--weights ", options.weights ?? "8", weightBits);
  const limit = budget === undefined ? null : parseBudget(budget);
  const usual = data === undefined ? "32" : "8";
  const activations = oneOf("--activations ", options.activations ?? usual, activationBits);
  const areChosen = limit !== null && "relativeBops" in limit && options.activations === undefined;
  const bits = budget === undefined ? `w${weights}` : budgetName(budget);
  const widths = `${bits}${areChosen ? "" : `a${activations}`}`;
  const settings: QuantizeSettings = {
    name: runName(`${basename(model, ".onnx")}-${method === "product-quantization" ? "codes" : widths}`),
    network: { file: model },
    ...(data !== undefined && dataOf(data, model)),
    method: {
      ...(method !== undefined && { name: method }),
      ...(iterations !== undefined && { iterations: iterationsOf(iterations) }),
      ...(granularity !== undefined && { granularity: granularityOf(granularity) }),
    },
    bits: {
      ...(limit === null ? { weights } : { budget: limit, ...ofWidths }),
      ...(options.activations !== undefined && { activations }),
      layers: layerBitsOf(options.layerBits),
    },
    skip: [...options.skip],
    verify: {
      ...(minSqnr !== undefined && { minSqnrDb: numberOf("--min-sqnr", minSqnr) }),
      ...(minAgreement !== undefined && { minAgreement: percentOf("--min-agreement", minAgreement) }),
    },
    export: {
      ...(options.layout !== undefined && { layout: options.layout }),
      ...(options.saturation !== undefined && { saturation: options.saturation }),
    },
  };
  return { tree: settings, places };
}

/** A budget in the name of a folder. */
export const budgetName = (budget: string): string => budget.replaceAll("%", "pc").replaceAll(":", "");

/** What samples are: a file with arrays, the data of a configuration, or a folder of images. */
function dataOf(path: string, model: string): Pick<QuantizeSettings, "data" | "input"> {
  if (/\.np[yz]$/i.test(path)) return { data: { samples: path } };
  if (isConfiguration(path)) return loadQuantizeData(path);
  if (existsSync(path) && statSync(path).isDirectory()) return { data: folderData(loadModel(model).model, path) };
  const what = existsSync(path) ? "" : "there is no such file or folder: ";
  throw new UsageError(
    `--data ${path}: ${what}expected a .npz or .npy file, a folder of images, or a configuration with a data section`,
  );
}

function oneOf<T extends number>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => String(value) === text);
  if (found === undefined) throw new UsageError(`${option}${text}: expected ${allowed.join(", ")}`);
  return found;
}

/** NAME=BITS, the first sign of equality from the end. */
const layerBitsOf = (entries: readonly string[]) =>
  Object.fromEntries(
    entries.map((entry) => {
      const at = entry.lastIndexOf("=");
      if (at <= 0) throw new UsageError(`--layer-bits ${entry}: expected NAME=BITS, as /head/*=8`);
      return [entry.slice(0, at), oneOf(`--layer-bits ${entry.slice(0, at)}=`, entry.slice(at + 1), weightBits)];
    }),
  );

function granularityOf(text: string) {
  const found = granularityNames.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`--granularity ${text}: expected tensor, channel, block:32, block:64 or block:128`);
}

/** Reads `tensor`, `channel`, `group:8`. */
function widthGranularityOf(text: string): WidthGranularity {
  if (text === "tensor" || text === "channel") return text;
  const group = Number(/^group:([1-9][0-9]*)$/.exec(text)?.[1]);
  if (Number.isSafeInteger(group)) return { group };
  throw new UsageError(
    `--width-granularity ${text}: expected tensor, channel, or a number of neighbouring output channels, as group:8`,
  );
}

function numberOf(option: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UsageError(`${option} ${text}: expected a number`);
  return value;
}

function percentOf(option: string, text: string): number {
  const value = numberOf(option, text);
  if (!(value >= 0 && value <= 100)) throw new UsageError(`${option} ${value}: expected percent, from 0 to 100`);
  return value;
}

function iterationsOf(text: string): number {
  const iterations = Number(text);
  if (Number.isSafeInteger(iterations) && iterations > 0) return iterations;
  throw new UsageError(`--iterations ${text}: expected a whole number from 1 on`);
}
