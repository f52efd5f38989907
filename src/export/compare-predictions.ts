import { UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { Ops } from "../engine/ops.ts";
import type { Verification } from "../runs/record.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { type InputKind, outputName } from "./onnx/model-frame.ts";
import { Reference } from "./reference.ts";
import { RuntimeModel, type RuntimeOptions, runtimeName } from "./runtime.ts";
import { batchOf, type TestImages } from "./test-batches.ts";

/** Points of top-1 by which runtime and trainer may differ. */
const TOP1_TOLERANCE = 0.05;
/** Percent of the images that must get the same class. */
const SAME_CLASS = 99.9;
const BATCH = 100;

export interface ComparePredictionsOptions extends RuntimeOptions {
  /** The file's name in messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The network as it was trained. */
  readonly network: FrozenNetwork;
  readonly input: InputKind;
  readonly test: TestImages;
  readonly ops: Ops;
  /** Percent, as the training measured it; the frozen network's own if left out. */
  readonly trainerTop1?: number | undefined;
  readonly reporter: Reporter;
}

/**
 * Classifies the whole test set in the runtime and with the trainer's kernels.
 *
 * @throws UserError when top-1 or too many classes differ.
 */
export async function comparePredictions(
  options: ComparePredictionsOptions,
): Promise<Pick<Verification, "images" | "top1" | "trainerTop1" | "sameClass">> {
  const { file, bytes, network, test, ops, threads, reporter } = options;
  const classes = network.classes.length;
  const counts = { images: 0, runtime: 0, trainer: 0, same: 0 };
  const reference = new Reference(ops, network);
  const model = await RuntimeModel.load(bytes, file, { threads });
  try {
    for await (const bytes of test.batches({ batchSize: BATCH })) {
      const { labels } = bytes;
      if (labels.length === 0) continue;
      const images = batchOf(bytes, options);
      const logits = (await model.run(images.forFile, images.shape)).get(outputName);
      if (logits?.length !== images.count * classes) {
        throw new UserError(`${file}: expected ${classes} values per image from "${outputName}"`);
      }
      const batch = ops.tensor(images.normalized, [images.count, ...test.imageShape]);
      const trainer = reference.classify(batch);
      ops.release(batch);
      for (let index = 0; index < images.count; index++) {
        const predicted = largestIndex(logits, index * classes, classes);
        const label = labels[index];
        if (predicted === label) counts.runtime++;
        if (trainer[index] === label) counts.trainer++;
        if (predicted === trainer[index]) counts.same++;
      }
      counts.images += images.count;
      reporter.progress.update(counts.images);
    }
  } finally {
    await model.release();
    reference.release();
  }
  const percent = (count: number) => (100 * count) / counts.images;
  const top1 = percent(counts.runtime);
  const sameClass = percent(counts.same);
  const trainerTop1 = options.trainerTop1 ?? percent(counts.trainer);
  // A few images cannot resolve 0.05 points or 0.1 %: there, one image may differ.
  const onTop1 = Math.max(TOP1_TOLERANCE, percent(1));
  const onClass = Math.min(SAME_CLASS, 100 - percent(1));
  if (Math.abs(top1 - trainerTop1) > onTop1 + 1e-9 || sameClass < onClass - 1e-9) {
    throw new UserError(
      `${file}: ${runtimeName} disagrees with the trainer over ${counts.images} test images although every layer agrees: ` +
        `top-1 ${top1.toFixed(2)} % against ${trainerTop1.toFixed(2)} % (at most ${TOP1_TOLERANCE} points apart), ` +
        `the same class for ${sameClass.toFixed(2)} % (at least ${SAME_CLASS} %).`,
    );
  }
  return { images: counts.images, top1, trainerTop1, sameClass };
}

/** Index of the largest of `length` values from `start` on, counted from `start`. */
export function largestIndex(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index++) if (values[start + index]! > values[start + best]!) best = index;
  return best;
}
