import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { ImageDataConfig } from "../config/sections/data-settings.ts";
import type { ImageInputSettings } from "../config/sections/quantize-settings.ts";
import { UserError } from "../core/errors.ts";
import { permutation } from "../core/random.ts";
import type { ByteBatch, Dataset, Normalization, Split } from "../data/dataset.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { requireImages } from "../data/require-images.ts";
import type { CalibrationData, DataContext } from "./calibration-data.ts";
import { imageInput } from "./image-input.ts";
import type { Calibration } from "./open-weights.ts";
import { Samples } from "./samples.ts";

/** Training images that are calibrated on if nobody says. */
const USUAL = 512;
/** Images that are read at a time. */
const CHUNK = 64;

/**
 * Opens the images of a data set: some of the training part for calibration, all of the test part for the comparison,
 * which are read while it goes on.
 *
 * @param limit Of images that are calibrated on.
 * @throws UserError when they cannot be read; UsageError when the model's input does not take them.
 */
export async function openImageSamples(
  data: ImageDataConfig,
  {
    inputs,
    input: given,
    limit = USUAL,
    seed,
    reporter,
    batch: most,
  }: DataContext & { readonly input: ImageInputSettings; readonly limit: number | undefined; readonly seed: number },
): Promise<CalibrationData> {
  const source = "folder" in data && data.folder !== undefined ? data.folder : `data ${data.name}`;
  const dataset = await loadDataset(data, { seed, reporter, targets: null });
  try {
    const images = requireImages(dataset, "quantize --data");
    const { train, test, targets, normalization } = images;
    const { settings, notes, arrays } = imageInput(inputs, images, { given, data, source });
    const labelled = targets.kind === "classes" && targets.names.length > 0;
    const samplesOf = (batch: ByteBatch): Samples =>
      Samples.of(inputs, arrays(batch), source, labelled ? labelsOf(batch) : null, most);
    const chosen = permutation({ seed, stream: "samples", counter: 0 }, train.count).subarray(0, limit);
    const calibrating = await firstOf(train.pick(chosen), chosen.length, source);
    const calibration = whole(samplesOf(calibrating));
    const { batchSize } = calibration.samples;
    async function* compared() {
      for await (const batch of test.batches({ batchSize: batchSize * Math.ceil(CHUNK / batchSize) })) {
        if (batch.count === 0) continue;
        const { samples, order } = whole(samplesOf(batch));
        yield* samples.batches(order);
      }
    }
    return {
      calibration,
      compared: () => ({ count: test.count, batches: compared() }),
      firstCompared: async (count) => whole(samplesOf(await firstOf(test, count, source))),
      labelled,
      sha256: hashOf(dataset, calibrating),
      notes: [...notes, ...(labelled ? [] : ["the images have no classes: top-1 is not measured"])],
      settings: {
        data: { ...withWholePaths(data), ...(settings.range === "unit" && { normalization: copyOf(normalization) }) },
        input: settings,
        calibration: { samples: limit },
      },
      [Symbol.asyncDispose]: () => dataset.close(),
    };
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

const copyOf = ({ mean, deviation }: Normalization) => ({ mean: [...mean], deviation: [...deviation] });

/** All samples, in their order. */
const whole = (samples: Samples): Calibration => ({
  samples,
  order: Uint32Array.from({ length: samples.count }, (_, index) => index),
});

/** The first images of a split that can be read, as one batch. */
async function firstOf(split: Split, count: number, source: string): Promise<ByteBatch> {
  const read: ByteBatch[] = [];
  for await (const batch of split.batches({ batchSize: CHUNK, limit: count })) read.push(batch);
  const [first] = read;
  if (first === undefined || read.every((batch) => batch.count === 0)) {
    throw new UserError(`${source}: no image could be read`);
  }
  const images = new Uint8Array(Buffer.concat(read.map((batch) => batch.images)));
  return { count: read.reduce((sum, batch) => sum + batch.count, 0), images, targets: joined(read) };
}

/** Classes of batches one behind the other; numbers, which nobody needs here, as no classes. */
const joined = (batches: readonly ByteBatch[]): ByteBatch["targets"] => ({
  kind: "classes",
  values: Int32Array.from(batches.flatMap((batch) => Array.from(labelsOf(batch)))),
});

const labelsOf = ({ targets }: ByteBatch): Int32Array =>
  targets.kind === "classes" ? targets.values : new Int32Array();

/** Of the files, or of lists of images, which say nothing of what these show, and of what is calibrated on. */
const hashOf = ({ files }: Dataset, { images }: ByteBatch): string =>
  createHash("sha256")
    .update(files.map(({ name, bytes, sha256 }) => `${name} ${bytes} ${sha256}\n`).join(""))
    .update(images)
    .digest("hex");

/** The data with paths that are seen from anywhere. */
function withWholePaths(data: ImageDataConfig): ImageDataConfig {
  switch (data.name) {
    case "npz":
      return { ...data, train: resolve(data.train), test: resolve(data.test) };
    case "folder":
    case "cifar100":
      return { ...data, folder: resolve(data.folder) };
    case "mnist":
    case "fashion-mnist":
    case "cifar10":
      return { ...data, ...(data.folder !== undefined && { folder: resolve(data.folder) }) };
  }
}
