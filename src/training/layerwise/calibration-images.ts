import { UserError } from "../../core/errors.ts";
import { subset } from "../../core/random.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Tensor } from "../../engine/ops.ts";
import type { Model } from "../model.ts";
import { networkInput } from "../network-input.ts";

/** Images of one pass: what is alive on the engine at once. */
export const CALIBRATION_BATCH = 64;

/** Training images, or samples of values, that ranges, steps and codes are found from, as bytes. */
export class CalibrationImages {
  readonly count: number;
  readonly #images: Uint8Array;
  readonly #normalization: Dataset["normalization"];

  constructor(count: number, images: Uint8Array, { normalization }: Pick<Dataset, "normalization">) {
    this.count = count;
    this.#images = images;
    this.#normalization = normalization;
  }

  /** One function for each batch, which uploads it as the network takes it. */
  batches(model: Pick<Model, "ops" | "network">): readonly (() => Tensor)[] {
    const size = this.#images.length / this.count;
    return Array.from({ length: Math.ceil(this.count / CALIBRATION_BATCH) }, (_, batch) => () => {
      const images = this.#images.slice(batch * CALIBRATION_BATCH * size, (batch + 1) * CALIBRATION_BATCH * size);
      return networkInput(model, { count: images.length / size, images }, this.#normalization);
    });
  }
}

/**
 * Reads the calibration images: chosen by the seed, unchanged, their labels left aside. Damaged ones are left out.
 *
 * @param images How many; all where there are fewer.
 * @throws UserError when none can be read.
 */
export async function readCalibrationImages(
  dataset: Pick<Dataset, "train" | "normalization">,
  { images, seed }: { readonly images: number; readonly seed: number },
): Promise<CalibrationImages> {
  const { train } = dataset;
  const count = Math.min(images, train.count);
  const chosen = train.pick(subset({ seed, stream: "calibration", counter: 0 }, train.count, count).sort());
  const parts: Uint8Array[] = [];
  let read = 0;
  for await (const batch of chosen.batches({ batchSize: CALIBRATION_BATCH })) {
    parts.push(batch.images.slice());
    read += batch.count;
  }
  const bytes = Buffer.concat(parts);
  if (bytes.length === 0) throw new UserError("cannot calibrate: none of the calibration images could be read");
  // Numbers are read in place, where Buffer may not be aligned for them.
  return new CalibrationImages(read, Uint8Array.from(bytes), dataset);
}
