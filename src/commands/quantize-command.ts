import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import type { LayerwiseMethod } from "../config/sections/methods/layerwise-settings.ts";
import { UsageError } from "../core/errors.ts";
import { budgetWidths } from "../ptq/harm-table.ts";
import { noiseText } from "../ptq/judge-outputs.ts";
import { type QuantizedRecord, quantizedFile } from "../ptq/quantized-record.ts";
import { granularities } from "../ptq/weight-site.ts";
import { type WeightBits, weightBits } from "../quantization/weight-grid.ts";
import { quantizeAnew } from "../runner/quantize-anew.ts";
import { quantizeFile } from "../runner/quantize-file.ts";
import { placesOf } from "../runner/quantized-places.ts";
import type { Context } from "./context.ts";

export interface QuantizeOptions {
  readonly model: string;
  readonly weights?: string;
  readonly budget?: string;
  readonly granularity?: string;
  readonly activations?: string;
  readonly data?: string;
  readonly minSqnr?: string;
  readonly minAgreement?: string;
  readonly saturation?: Saturation;
  readonly layout?: QuantizedLayout;
  readonly skip: readonly string[];
  readonly method?: LayerwiseMethod;
  readonly iterations?: string;
  /** As NAME=BITS. */
  readonly layerBits: readonly string[];
  readonly out?: string;
  readonly force: boolean;
}

const activationBits = [8, 16, 32] as const;

function oneOf<T extends number>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => String(value) === text);
  if (found === undefined) throw new UsageError(`${option}${text}: expected ${allowed.join(", ")}`);
  return found;
}

/** NAME=BITS, the first sign of equality from the end. */
function layerBitsOf(entries: readonly string[]): Readonly<Record<string, WeightBits>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.lastIndexOf("=");
      if (at <= 0) throw new UsageError(`--layer-bits ${entry}: expected NAME=BITS, as /head/*=8`);
      return [entry.slice(0, at), oneOf(`--layer-bits ${entry.slice(0, at)}=`, entry.slice(at + 1), weightBits)];
    }),
  );
}

function granularityOf(text: string): (typeof granularities)[number] {
  const found = granularities.find((one) => text === (typeof one === "number" ? `block:${one}` : one));
  if (found !== undefined) return found;
  throw new UsageError(`--granularity ${text}: expected tensor, channel, block:32, block:64 or block:128`);
}

function numberOf(option: string, text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UsageError(`${option} ${text}: expected a number`);
  return value;
}

function iterationsOf(text: string): number {
  const iterations = Number(text);
  if (!(Number.isSafeInteger(iterations) && iterations > 0)) {
    throw new UsageError(`--iterations ${text}: expected a whole number from 1 on`);
  }
  return iterations;
}

/** `quantize`: an ONNX file in; a smaller one, with what is known of it, out. */
export async function runQuantize(options: QuantizeOptions, context: Context): Promise<void> {
  const {
    model,
    data,
    saturation,
    layout = "plain",
    skip,
    force,
    method,
    iterations,
    budget,
    minSqnr,
    minAgreement,
  } = options;
  if (existsSync(join(model, quantizedFile))) return runAnew(options, context);
  if (budget !== undefined && options.weights !== undefined) {
    throw new UsageError("--weights and --budget: expected one of them: a budget chooses the bits of weights");
  }
  const weights = oneOf("--weights ", options.weights ?? "8", weightBits);
  const wanted = options.activations ?? (data === undefined ? "32" : "8");
  const activations = oneOf("--activations ", wanted, activationBits);
  if (activations !== 32 && data === undefined) {
    throw new UsageError(
      `--activations ${activations}: activations are calibrated on samples; give some with --data, as --data samples.npz`,
    );
  }
  const bits = budget === undefined ? `w${weights}` : nameOf(budget);
  const folder = options.out ?? join("reports", `${basename(model, ".onnx")}-${bits}a${activations}`);
  const { reporter } = context;
  const record = await quantizeFile(model, {
    ...{ folder, weights, activations, layout, skip, force, reporter },
    layerBits: layerBitsOf(options.layerBits),
    ...(data !== undefined && { data }),
    ...(budget !== undefined && { budget }),
    ...(options.granularity !== undefined && { granularity: granularityOf(options.granularity) }),
    ...(minSqnr !== undefined && { minSqnrDb: numberOf("--min-sqnr", minSqnr) }),
    ...(minAgreement !== undefined && { minAgreement: numberOf("--min-agreement", minAgreement) }),
    ...(method !== undefined && { method }),
    ...(iterations !== undefined && { iterations: iterationsOf(iterations) }),
    ...(saturation !== undefined && { saturation }),
  });
  printQuantized({ folder, file: join(folder, placesOf[layout](model, weights).model) }, record, context);
}

/** `quantize FOLDER --budget …`: the file of a finished run within another budget, by what was measured there. */
async function runAnew({ model, budget, out, force, ...options }: QuantizeOptions, context: Context): Promise<void> {
  const given = Object.entries({ ...options, skip: options.skip[0], layerBits: options.layerBits[0] });
  const others = given.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (budget === undefined || others.length > 0) {
    throw new UsageError(
      `${model} is the folder of a quantized file: expected --budget, and of all else only --out or --force`,
    );
  }
  const folder = out ?? `${resolve(model)}-${nameOf(budget)}`;
  const { reporter } = context;
  const record = await quantizeAnew(model, { folder, budget, force, reporter });
  printQuantized({ folder, file: join(folder, placesOf.plain(model, 8).model) }, record, context);
}

/** A budget in the name of a folder. */
const nameOf = (budget: string): string => budget.replaceAll("%", "pc").replaceAll(":", "");

/** Prints what became of a file; with `--json` as one line for machines. */
function printQuantized(
  { folder, file }: { readonly folder: string; readonly file: string },
  record: QuantizedRecord,
  { json, print }: Pick<Context, "json" | "print">,
): void {
  const { layers, left, source, bytes, comparison, kernels, plan, seconds } = record;
  const outputs = comparison?.outputs ?? [];
  const measured = outputs.flatMap(({ sqnrDb }) => sqnrDb ?? []);
  const agreements = outputs.flatMap(({ agreement }) => agreement ?? []);
  const sqnrDb = measured.length > 0 ? Math.min(...measured) : null;
  const agreement = agreements.length > 0 ? Math.min(...agreements) : null;
  const of = layers.length + left.length;
  if (json) {
    const sizes = { before: source.bytes, after: bytes };
    const counted = { quantized: layers.length, of };
    const unmeasured = { top1: null, top1Float: null };
    print(
      JSON.stringify({
        run: folder,
        layers: counted,
        bytes: sizes,
        agreement,
        sqnrDb,
        ...unmeasured,
        seconds,
        verified: comparison !== null,
      }),
    );
    return;
  }
  print(`${file}: ${bytes} bytes, ${(source.bytes / bytes).toFixed(2)} times smaller`);
  print(
    `  layers     ${layers.length} of ${of} quantized, ${kernels.integer} kernels of integers, ${kernels.float.length} of floats`,
  );
  if (plan !== null) print(`  budget     ${describePlan(plan, layers)}`);
  for (const { name, operator, reason } of left) print(`             ${operator} ${name}: ${reason}`);
  if (comparison === null) print("  compared   with nothing: there is no data (--data)");
  for (const output of outputs) {
    const { name, agreement } = output;
    const noise = noiseText(output);
    const classes = agreement === null ? "" : `, the same class for ${agreement.toFixed(2)} %`;
    print(`  ${name}: ${noise}${classes} (${comparison?.samples} samples that calibration did not see)`);
  }
  print(`  time       ${seconds.toFixed(1)} s`);
}

function describePlan(
  { budget, table, plans }: NonNullable<QuantizedRecord["plan"]>,
  layers: QuantizedRecord["layers"],
): string {
  const [best] = plans;
  const counts = budgetWidths.map((width) => `${layers.filter(({ bits }) => bits === width).length} of ${width} bits`);
  const numbers = table.weights.reduce((sum, weight) => sum + weight.numbers, 0);
  const share = (25 * (best?.bytes ?? 0)) / numbers;
  const found = table.measured === "weights" ? ", by the error of the weights alone: there is no data" : "";
  return `${budget}: ${counts.join(", ")}; weights take ${share.toFixed(2)} % of float32${found}`;
}
