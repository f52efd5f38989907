import { basename, join } from "node:path";
import type { QuantizedLayout, Saturation } from "../config/sections/export-settings.ts";
import { UsageError } from "../core/errors.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { weightBits } from "../quantization/weight-grid.ts";
import { quantizeFile } from "../runner/quantize-file.ts";
import { placesOf } from "../runner/quantized-places.ts";
import type { Context } from "./context.ts";

export interface QuantizeOptions {
  readonly model: string;
  readonly weights: string;
  readonly activations?: string;
  readonly data?: string;
  readonly saturation?: Saturation;
  readonly layout?: QuantizedLayout;
  readonly skip: readonly string[];
  readonly out?: string;
  readonly force: boolean;
}

const activationBits = [8, 16, 32] as const;

function oneOf<T extends number>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => String(value) === text);
  if (found === undefined) throw new UsageError(`${option} ${text}: expected ${allowed.join(", ")}`);
  return found;
}

/** `quantize`: an ONNX file in; a smaller one, with what is known of it, out. */
export async function runQuantize(options: QuantizeOptions, context: Context): Promise<void> {
  const { model, data, saturation, layout = "plain", skip, force } = options;
  const weights = oneOf("--weights", options.weights, weightBits);
  const wanted = options.activations ?? (data === undefined ? "32" : "8");
  const activations = oneOf("--activations", wanted, activationBits);
  if (activations !== 32 && data === undefined) {
    throw new UsageError(
      `--activations ${activations}: activations are calibrated on samples; give some with --data, as --data samples.npz`,
    );
  }
  const folder = options.out ?? join("reports", `${basename(model, ".onnx")}-w${weights}a${activations}`);
  const { reporter } = context;
  const record = await quantizeFile(model, {
    ...{ folder, weights, activations, layout, skip, force, reporter },
    ...(data !== undefined && { data }),
    ...(saturation !== undefined && { saturation }),
  });
  printQuantized({ folder, file: join(folder, placesOf[layout](model, weights).model) }, record, context);
}

/** Prints what became of a file; with `--json` as one line for machines. */
function printQuantized(
  { folder, file }: { readonly folder: string; readonly file: string },
  record: QuantizedRecord,
  { json, print }: Pick<Context, "json" | "print">,
): void {
  const { layers, left, source, bytes, comparison, kernels, seconds } = record;
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
  for (const { name, operator, reason } of left) print(`             ${operator} ${name}: ${reason}`);
  if (comparison === null) print("  compared   with nothing: there is no data (--data)");
  for (const { name, sqnrDb, agreement, same } of outputs) {
    const noise = same ? "not one number differs" : sqnrDb === null ? "sizes that differ" : `${sqnrDb.toFixed(1)} dB`;
    const classes = agreement === null ? "" : `, the same class for ${agreement.toFixed(2)} %`;
    print(`  ${name}: ${noise}${classes} (${comparison?.samples} samples that calibration did not see)`);
  }
  print(`  time       ${seconds.toFixed(1)} s`);
}
