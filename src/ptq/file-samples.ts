import { resolve } from "node:path";
import { sha256OfFile } from "../core/file-hash.ts";
import type { CalibrationData, DataContext } from "./calibration-data.ts";
import { readSamples } from "./read-samples.ts";
import { Samples } from "./samples.ts";

/** Of the samples, what is kept for the comparison: a quarter. */
const HELD_OUT = 4;

/**
 * Opens a .npz or .npy file.
 *
 * @param limit Of samples that are calibrated on.
 * @throws UserError when it cannot be read; UsageError when its arrays do not fit the inputs.
 */
export async function openFileSamples(
  file: string,
  { inputs, limit, seed, batch }: DataContext & { readonly limit: number | undefined; readonly seed: number },
): Promise<CalibrationData> {
  const names = inputs.map(({ name }) => name);
  const { arrays, labels } = await readSamples(file, names);
  const samples = Samples.of(inputs, arrays, file, labels, batch);
  const order = samples.order(seed);
  const heldOut = order.subarray(0, Math.max(1, Math.floor(order.length / HELD_OUT)));
  const isSole = order.length === 1;
  const others = isSole ? order : order.subarray(heldOut.length);
  return {
    calibration: { samples, order: others.subarray(0, limit) },
    compared: () => ({ count: heldOut.length, batches: samples.batches(heldOut) }),
    firstCompared: async (count) => ({ samples, order: heldOut.subarray(0, count) }),
    labelled: labels !== null,
    sha256: sha256OfFile(file),
    notes: isSole ? ["there is one sample: it is compared on what it was calibrated on"] : [],
    settings: {
      data: { samples: resolve(file) },
      input: {},
      calibration: limit === undefined ? {} : { samples: limit },
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
