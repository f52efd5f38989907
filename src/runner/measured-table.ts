import { changedSettings, describeChange } from "../config/changes.ts";
import type { QuantizeConfig } from "../config/quantize-schema.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { budgetText } from "../ptq/budget-text.ts";
import type { HarmTable } from "../ptq/harm-table.ts";
import { quantizedFile } from "../ptq/quantized-record.ts";
import { readQuantizedRecord } from "../ptq/read-quantized-record.ts";

/** A file, and what it is calibrated on. */
interface Measured {
  readonly sha256: string;
  /** null: there is no data. */
  readonly dataSha256: string | null;
  /** With all that was found of what it leaves out. */
  readonly settings: QuantizeConfig;
}

/**
 * What another run of the file has measured.
 *
 * @param folder That run's.
 * @throws UsageError where it had no budget, one of another kind, or other settings; UserError where file or data are others.
 */
export function measuredTable(folder: string, { sha256, dataSha256, settings }: Measured): HarmTable {
  const earlier = readQuantizedRecord(folder);
  const { source, plan } = earlier;
  if (plan === null) {
    throw new UsageError(
      `${folder}: ${quantizedFile} has no table of what each width costs and harms: quantize ${source.file} with --budget first`,
    );
  }
  const { network, data } = settings;
  const place = data === undefined ? "data" : "samples" in data ? data.samples : `data ${data.name}`;
  const changed = source.sha256 !== sha256 ? network.file : earlier.dataSha256 !== dataSha256 ? place : null;
  if (changed !== null) {
    throw new UserError(
      `${changed}: is not the file any more that ${folder} was made from: quantize with --budget anew`,
    );
  }
  if ("budget" in settings.bits && "relativeBops" in settings.bits.budget && plan.table.products.length === 0) {
    throw new UsageError(
      `${folder}: its budget was ${plan.budget}, for which neither activations nor bit operations were measured: quantize ${network.file} with --budget ${budgetText(settings.bits.budget)} anew`,
    );
  }
  const [change] = changedSettings(measuring(earlier.settings), measuring(settings));
  if (change === undefined) return plan.table;
  throw new UsageError(`bits.measured: ${folder} was measured with other settings: ${describeChange(change)}`);
}

/** What a table depends on. */
const measuring = ({ seed, data, input, calibration, method, bits, skip }: QuantizeConfig) => ({
  ...{ seed, data, input, calibration, method, skip },
  bits: {
    ...("granularity" in bits && { granularity: bits.granularity }),
    ...{ activations: bits.activations, layers: bits.layers },
  },
});
