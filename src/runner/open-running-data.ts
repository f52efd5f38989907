import type { ResolvedQuantize } from "../config/quantize-schema.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { FileSession } from "../onnx/file-session.ts";
import type { CalibrationData } from "../ptq/calibration-data.ts";
import { openCalibrationData } from "../ptq/open-calibration-data.ts";

/**
 * Opens data that a file runs on; null: there is none. A file that says that it takes any number of samples may have the
 * one that it was exported with in a shape of its inside: it gets one in each run where it does not run on several.
 *
 * @throws UserError when it cannot be read, or the file does not run on it; UsageError when it does not fit the inputs.
 */
export async function openRunningData(
  config: ResolvedQuantize,
  float: FileSession,
  reporter: Reporter,
): Promise<CalibrationData | null> {
  const context = { inputs: float.inputs, reporter };
  const several = await openCalibrationData(config, context);
  // What is wrong with one sample is told where the file runs next.
  if (several === null || several.calibration.samples.batchSize === 1 || (await runs(float, several))) return several;
  await several[Symbol.asyncDispose]();
  const single = await openCalibrationData(config, { ...context, batch: 1 });
  if (single === null) throw new Error("the data is gone");
  const note = "it runs on one sample at a time alone, whatever its inputs say";
  return (await runs(float, single)) ? { ...single, notes: [...single.notes, note] } : single;
}

/** Whether the file runs on data, which is closed where that cannot be found out. */
async function runs(float: FileSession, data: CalibrationData): Promise<boolean> {
  const { samples, order } = data.calibration;
  try {
    for await (const { inputs } of samples.batches(order.subarray(0, samples.batchSize))) await float.run(inputs);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    await data[Symbol.asyncDispose]();
    throw error;
  }
}
