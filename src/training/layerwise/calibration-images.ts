import { UserError } from "../../core/errors.ts";
import { subset } from "../../core/random.ts";
import type { ImageDataset } from "../../data/dataset.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";

/** Images of one pass: what is alive on the engine at once. */
export const CALIBRATION_BATCH = 64;

/** Training images that ranges, steps and codes are found from, as bytes. */
export class CalibrationImages {
  readonly count: number;
  readonly #images: Uint8Array;
  readonly #dataset: Pick<ImageDataset, "imageShape" | "normalization">;

  constructor(images: Uint8Array, dataset: Pick<ImageDataset, "imageShape" | "normalization">) {
    this.#images = images;
    this.#dataset = dataset;
    this.count = images.length / imageSize(dataset);
  }

  /** One function for each batch, which uploads it, normalised. */
  batches(ops: Ops): readonly (() => Tensor)[] {
    const { imageShape, normalization } = this.#dataset;
    const size = imageSize(this.#dataset);
    return Array.from({ length: Math.ceil(this.count / CALIBRATION_BATCH) }, (_, batch) => () => {
      const bytes = this.#images.slice(batch * CALIBRATION_BATCH * size, (batch + 1) * CALIBRATION_BATCH * size);
      return ops.normalize(ops.tensor(bytes, [bytes.length / size, ...imageShape]), normalization);
    });
  }
}

const imageSize = ({ imageShape: [height, width, channels] }: Pick<ImageDataset, "imageShape">): number =>
  height * width * channels;

/**
 * Reads the calibration images: chosen by the seed, unchanged, their labels left aside. Damaged ones are left out.
 *
 * @param images How many; all where there are fewer.
 * @throws UserError when none can be read.
 */
export async function readCalibrationImages(
  dataset: ImageDataset,
  { images, seed }: { readonly images: number; readonly seed: number },
): Promise<CalibrationImages> {
  const { train } = dataset;
  const count = Math.min(images, train.count);
  const chosen = train.pick(subset({ seed, stream: "calibration", counter: 0 }, train.count, count).sort());
  const parts: Uint8Array[] = [];
  for await (const batch of chosen.batches({ batchSize: CALIBRATION_BATCH })) parts.push(batch.images.slice());
  const bytes = Buffer.concat(parts);
  if (bytes.length === 0) throw new UserError("cannot calibrate: none of the calibration images could be read");
  return new CalibrationImages(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), dataset);
}
