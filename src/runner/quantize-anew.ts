import { basename, resolve } from "node:path";
import type { WidthBudget } from "../config/sections/quantize-settings.ts";
import { UsageError } from "../core/errors.ts";
import { budgetText } from "../ptq/budget-text.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import { readQuantizedRecord } from "../ptq/read-quantized-record.ts";
import { quantizeFile } from "./quantize-file.ts";
import type { QuantizeFileOptions } from "./quantize-options.ts";

/**
 * Quantizes the file of a finished run within another budget, in a folder of its own: settings are that run's, and so is
 * what it has measured of every width of every weight, and of every activation.
 *
 * @param from The folder of a run that had a budget.
 * @throws UsageError when that run had none, or one of another kind; UserError when its record cannot be read or its file has changed; as
 * {@link quantizeFile}.
 */
export async function quantizeAnew(
  from: string,
  budget: WidthBudget,
  options: QuantizeFileOptions,
): Promise<QuantizedRecord> {
  const { settings } = readQuantizedRecord(from);
  const { activations, layers } = settings.bits;
  const ofWidths = "granularity" in settings.bits ? { granularity: settings.bits.granularity } : {};
  if (activations === "budget" && !("relativeBops" in budget)) {
    const text = budgetText(budget);
    throw new UsageError(
      `--budget ${text}: the activations of ${from} were chosen within a budget of bit operations, and one of bytes chooses none: expected bops:PERCENT%, or quantize ${settings.network.file} with --budget ${text} anew`,
    );
  }
  const name = basename(resolve(options.folder));
  return quantizeFile(
    { ...settings, name, bits: { budget, ...ofWidths, measured: from, activations, layers } },
    options,
  );
}
