import type { ExportInput } from "../config/sections/export-settings.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { Ops } from "../engine/ops.ts";
import type { Agreement, ComparedPredictions } from "../tasks/agreement.ts";
import type { FileRuntime } from "./file-runtime.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { outputCount, outputNode } from "./network-output.ts";
import { isImage } from "./onnx/axis-layout.ts";
import { outputName } from "./onnx/model-frame.ts";
import { toChannelsLast } from "./onnx/value-layout.ts";
import { Reference } from "./reference.ts";
import { batchOf, floats, type TestImages } from "./test-batches.ts";

const BATCH = 100;

export interface ComparePredictionsOptions {
  /** The file's name in messages. */
  readonly file: string;
  readonly runtime: FileRuntime;
  /** The network as it was trained. */
  readonly network: FrozenNetwork;
  readonly input: ExportInput;
  readonly test: TestImages;
  readonly ops: Ops;
  /** The task's, fresh. */
  readonly agreement: Agreement;
  readonly reporter: Reporter;
}

/** Values that a file gives for pixels, in the trainer's order; a vector is in that. */
function pixelsLast(network: FrozenNetwork, values: Float32Array): Float32Array {
  const node = outputNode(network);
  return isImage(network, node.id) ? toChannelsLast(network, node, values) : values;
}

/**
 * Runs the whole test set through the file in the runtime and through the trainer's kernels.
 *
 * @throws UserError when the outputs differ by more than the task allows.
 */
export async function comparePredictions(options: ComparePredictionsOptions): Promise<ComparedPredictions> {
  const { file, runtime, network, test, ops, reporter, agreement } = options;
  const outputs = outputCount(network);
  let compared = 0;
  const reference = new Reference(ops, network);
  const model = await runtime.load([]);
  try {
    for await (const { targets, ...bytes } of test.batches({ batchSize: BATCH })) {
      if (bytes.count === 0) continue;
      const images = batchOf(bytes, { ...options, ...runtime });
      const values = (await model.run(images.forFile, images.shape)).get(outputName);
      if (values?.length !== images.count * outputs) {
        throw new UserError(`${file}: expected ${outputs} values per image from "${outputName}"`);
      }
      ops.scope(
        () => {
          const batch = ops.tensor(images.normalized, [images.count, ...test.imageShape]);
          const trainer = floats(ops, reference.logits(batch));
          const ours = runtime.channelsLast ? values : pixelsLast(network, Float32Array.from(values));
          agreement.add({ ...bytes, runtime: ours, trainer, targets });
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
  const { result, disagreement } = agreement;
  if (disagreement === null) return result;
  throw new UserError(
    `${file}: ${runtime.name} disagrees with the trainer over ${result.images} test images although every layer agrees: ${disagreement}`,
  );
}
