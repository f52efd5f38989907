import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkQuantize, isConfiguration, loadQuantize } from "../config/load-quantize.ts";
import { UsageError } from "../core/errors.ts";
import { againstFile } from "../ptq/against-file.ts";
import { parseBudget } from "../ptq/budget-text.ts";
import { type QuantizedRecord, quantizedFile } from "../ptq/quantized-record.ts";
import { quantizeAnew } from "../runner/quantize-anew.ts";
import { quantizeFile } from "../runner/quantize-file.ts";
import { placesOf } from "../runner/quantized-places.ts";
import type { Context } from "./context.ts";
import { requireMaxDrop } from "./max-drop.ts";
import { printQuantized } from "./print-quantized.ts";
import { budgetName, type QuantizeArguments, settingsOf } from "./quantize-arguments.ts";

export interface QuantizeOptions extends QuantizeArguments {
  readonly set: readonly string[];
  readonly out?: string;
  readonly force: boolean;
  readonly resume: boolean;
  /** By how much its share of labels may be worse than that of the file that went in: exit code 3 where it is by more. */
  readonly maxDrop?: number;
}

/** `quantize`: an ONNX file in, or a configuration that names one; a smaller one, with what is known of it, out. */
export async function runQuantize(options: QuantizeOptions, context: Context): Promise<void> {
  const { model, set, out, force, resume, maxDrop, ...others } = options;
  if (existsSync(join(model, quantizedFile))) return runAnew(options, context);
  const config = isConfiguration(model)
    ? loadQuantize(model, { set: alone(others, set, model) })
    : checkQuantize(settingsOf(options), { set, file: "given as options" });
  const { reporter, stop } = context;
  const folder = out ?? join("reports", config.name ?? "quantized");
  const run = () => quantizeFile(config, { folder, force, resume, reporter, stop });
  finish(folder, config, await context.holdStops(run), { context, maxDrop });
}

/** @throws UsageError where options stand beside a configuration. */
function alone(options: Omit<QuantizeArguments, "model">, set: readonly string[], config: string): readonly string[] {
  if (givenOf(options).length === 0) return set;
  throw new UsageError(
    `${config} is a configuration, which says what is wanted: expected of options only --set, --out, --resume or --force, as --set bits.weights=4`,
  );
}

/** Names of the options that were given. */
const givenOf = ({ skip, layerBits, ...options }: Omit<QuantizeArguments, "model">): readonly string[] =>
  Object.entries({ ...options, skip: skip[0], layerBits: layerBits[0] })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);

/** `quantize FOLDER --budget …`: the file of a finished run within another budget, by what was measured there. */
async function runAnew(
  { model, budget, set, out, force, resume, maxDrop, ...options }: QuantizeOptions,
  context: Context,
): Promise<void> {
  if (budget === undefined || resume || givenOf(options).length > 0 || set.length > 0) {
    throw new UsageError(
      `${model} is the folder of a quantized file: expected --budget, and of all else only --out or --force`,
    );
  }
  const folder = out ?? `${resolve(model)}-${budgetName(budget)}`;
  const { reporter, stop } = context;
  const run = () => quantizeAnew(model, parseBudget(budget), { folder, force, reporter, stop });
  const record = await context.holdStops(run);
  finish(folder, record.settings, record, { context, maxDrop });
}

function finish(
  folder: string,
  config: Parameters<typeof placesOf>[0],
  record: QuantizedRecord,
  { context, maxDrop }: { readonly context: Context; readonly maxDrop: number | undefined },
): void {
  printQuantized({ folder, file: join(folder, placesOf(config).model) }, record, context);
  requireMaxDrop(
    folder,
    againstFile(record),
    maxDrop,
    "give --data with labels, and a file whose output has a number for each class",
  );
}
