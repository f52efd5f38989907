import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import {
  ClassAgreement,
  MOST_TIES,
  type PredictionAgreement,
  SAME_CLASS,
  TOP1_TOLERANCE,
} from "../tasks/classification/agreement.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { type InputKind, outputName } from "./onnx/model-frame.ts";
import { Reference } from "./reference.ts";
import { RuntimeModel, type RuntimeOptions, runtimeName } from "./runtime.ts";
import { batchOf, floats, type TestImages } from "./test-batches.ts";

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
 * @throws UserError when top-1 or too many classes differ, or too many that are nearly tied.
 */
export async function comparePredictions(options: ComparePredictionsOptions): Promise<PredictionAgreement> {
  const { file, bytes, network, test, ops, threads, reporter, trainerTop1 = null } = options;
  const classes = network.classes.length;
  const agreement = new ClassAgreement(classes, trainerTop1);
  let compared = 0;
  const reference = new Reference(ops, network);
  const model = await RuntimeModel.load(bytes, file, { threads });
  try {
    for await (const bytes of test.batches({ batchSize: BATCH })) {
      if (bytes.count === 0) continue;
      if (bytes.targets.kind !== "classes") throw new Error(`class agreement of ${bytes.targets.kind}`);
      const labels = bytes.targets.values;
      const images = batchOf(bytes, options);
      const runtime = (await model.run(images.forFile, images.shape)).get(outputName);
      if (runtime?.length !== images.count * classes) {
        throw new UserError(`${file}: expected ${classes} values per image from "${outputName}"`);
      }
      ops.scope(
        () => {
          const batch = ops.tensor(images.normalized, [images.count, ...test.imageShape]);
          agreement.add({ runtime, trainer: floats(ops, reference.logits(batch)), labels });
        },
        () => [],
      );
      compared += images.count;
      reporter.progress.update(compared);
    }
  } finally {
    await model.release();
    reference.release();
  }
  if (!agreement.agrees) throw disagreement(file, agreement.result);
  return agreement.result;
}

const disagreement = (file: string, { images, top1, trainerTop1, sameClass, nearTies }: PredictionAgreement) =>
  new UserError(
    `${file}: ${runtimeName} disagrees with the trainer over ${images} test images although every layer agrees: ` +
      `top-1 ${top1.toFixed(2)} % against ${trainerTop1.toFixed(2)} % (at most ${TOP1_TOLERANCE} points apart), ` +
      `the same class for ${sameClass.toFixed(2)} % (at least ${SAME_CLASS} %), ` +
      `but for ${nearTies} images with nearly tied classes (at most ${MOST_TIES} %).`,
  );
