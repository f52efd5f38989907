import { UsageError } from "../core/errors.ts";
import { type QuantizedRecord, quantizedFile } from "../ptq/quantized-record.ts";
import { readQuantizedRecord } from "../ptq/read-quantized-record.ts";
import { quantizeFile } from "./quantize-file.ts";
import type { QuantizeFileOptions } from "./quantize-options.ts";

/**
 * Quantizes the file of a finished run within another budget, in a folder of its own: settings are that run's, and so is
 * what it has measured of every width of every weight.
 *
 * @param from The folder of a run that had a budget.
 * @throws UsageError when that run had none; UserError when its record cannot be read or its file has changed; as
 * {@link quantizeFile}.
 */
export async function quantizeAnew(
  from: string,
  options: Required<Pick<QuantizeFileOptions, "folder" | "budget">> & Pick<QuantizeFileOptions, "force" | "reporter">,
): Promise<QuantizedRecord> {
  const { source, settings, plan } = readQuantizedRecord(from);
  if (plan === null) {
    throw new UsageError(
      `${from}: ${quantizedFile} has no table of what each width costs and harms: quantize ${source.file} with --budget first`,
    );
  }
  const { data, dataSha256, ...others } = settings;
  const measured = { folder: from, table: plan.table, sha256: source.sha256, dataSha256 };
  return quantizeFile(source.file, {
    ...options,
    ...others,
    measured,
    ...(data !== null && { data }),
  });
}
