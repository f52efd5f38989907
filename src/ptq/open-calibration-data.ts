import type { QuantizeConfig } from "../config/quantize-schema.ts";
import type { CalibrationData, DataContext } from "./calibration-data.ts";
import { openFileSamples } from "./file-samples.ts";
import { openImageSamples } from "./image-samples.ts";

/**
 * Opens the data of a configuration; null: it has none.
 *
 * @throws UserError when it cannot be read; UsageError when it does not fit the model's inputs.
 */
export async function openCalibrationData(
  { data, input, calibration, seed }: Pick<QuantizeConfig, "data" | "input" | "calibration" | "seed">,
  context: DataContext,
): Promise<CalibrationData | null> {
  if (data === undefined) return null;
  const wanted = { limit: calibration.samples, seed };
  return "samples" in data
    ? openFileSamples(data.samples, { ...wanted, ...context })
    : openImageSamples(data, { ...wanted, ...context, input });
}
