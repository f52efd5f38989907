import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { ByteBatch, ImageShape, Split } from "../data/dataset.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { Verification } from "../runs/record.ts";
import { CodeComparison } from "./compare-codes.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { layerGroups } from "./layer-groups.ts";
import { toChannelsFirst, toChannelsLast } from "./onnx/layout.ts";
import { outputName, valueName } from "./onnx/lower-graph.ts";
import { readModel, withOutputs } from "./onnx/read-model.ts";
import { Reference } from "./reference.ts";
import { RuntimeModel, runtimeName } from "./runtime.ts";

/** Points of top-1 by which runtime and trainer may differ. */
const TOP1_TOLERANCE = 0.05;
/** Percent of the images that must get the same class. */
const SAME_CLASS = 99.9;
/** Images that are compared layer by layer. */
const LAYER_IMAGES = 500;
const BATCH = 100;

/** Test images as the data set gives them. */
export interface TestImages extends Split {
  readonly imageShape: ImageShape;
}

export interface VerifyOptions {
  /** The file's name, in messages too. */
  readonly file: string;
  /** Where its bytes lie as long as they do not have that name. */
  readonly readFrom?: string | undefined;
  readonly network: FrozenNetwork;
  readonly test: TestImages;
  readonly ops: Ops;
  /** Percent, as the training measured it; the frozen network's own if left out. */
  readonly trainerTop1?: number | undefined;
  readonly reporter: Reporter;
}

/**
 * Runs the ONNX file over the whole test set in a real runtime and compares it with the trainer's kernels: layer by
 * layer on the runtime's own inputs (codes), then by predictions.
 *
 * @throws UserError when the file is damaged or disagrees, naming the first layer that differs.
 */
export async function verify({
  file,
  readFrom = file,
  network,
  test,
  ops,
  trainerTop1,
  reporter,
}: VerifyOptions): Promise<Verification> {
  const bytes = readBytes(readFrom);
  const model = readModel(bytes, file);
  const reference = new Reference(ops, network);
  const context: Context = { file, network, test, ops, reference, reporter };
  reporter.progress.start("verifying", test.count);
  try {
    const shown = network.nodes.filter(({ kind }) => kind === "quantizer").map((node) => valueName(network, node));
    const layers = await compareLayers(context, withOutputs(model, [...shown, outputName], file));
    return { runtime: runtimeName, layers, ...(await comparePredictions(context, bytes, trainerTop1)) };
  } finally {
    reporter.progress.stop();
    reference.release();
  }
}

interface Context extends Pick<VerifyOptions, "file" | "network" | "test" | "ops" | "reporter"> {
  readonly reference: Reference;
}

async function compareLayers(context: Context, bytes: Uint8Array): Promise<Verification["layers"]> {
  const { file, network, test, ops, reference } = context;
  const groups = layerGroups(network).map((group) => {
    const end = group.nodes.at(-1)!;
    return { ...group, end, comparison: new CodeComparison(group.name, end) };
  });
  const model = await RuntimeModel.load(bytes, file);
  try {
    for await (const batch of test.batches({ batchSize: BATCH, limit: LAYER_IMAGES })) {
      if (batch.labels.length === 0) continue;
      const images = normalised(context, batch);
      const values = new Map(await model.run(images.channelsFirst, images.shape));
      values.set(valueName(network, network.nodes[0]!), images.channelsFirst);
      for (const { from, nodes, end, comparison } of groups) {
        const input = toChannelsLast(network, from, values.get(valueName(network, from))!);
        const runtime = toChannelsLast(network, end, values.get(valueName(network, end))!);
        ops.scope(
          () => {
            let before = ops.tensor(input, [images.count, ...from.outputShape]);
            for (const node of nodes.slice(0, -1)) before = reference.evaluateNode(node, before);
            const after = reference.evaluateNode(end, before);
            comparison.add({ runtime, reference: floats(ops, after), before: floats(ops, before) });
          },
          () => [],
        );
      }
    }
  } finally {
    await model.release();
  }
  for (const { comparison, name, end } of groups) {
    if (comparison.agrees) continue;
    const { equalCodes, largestDifference, elements } = comparison.result;
    throw new UserError(
      `${file}: ${runtimeName} disagrees with the trainer, first at layer ${name} (value ${end.id}): ` +
        `${equalCodes.toFixed(3)} % of ${elements} codes are equal (at least 99.99 % expected), ` +
        `the largest difference is ${largestDifference} (at most 1 expected). The file was made of another network, ` +
        "or is damaged: export again from the run's checkpoint.",
    );
  }
  return groups.map(({ comparison }) => comparison.result);
}

async function comparePredictions(
  context: Context,
  bytes: Uint8Array,
  recordedTop1: number | undefined,
): Promise<Pick<Verification, "images" | "top1" | "trainerTop1" | "sameClass">> {
  const { file, network, test, ops, reference, reporter } = context;
  const counts = { images: 0, runtime: 0, trainer: 0, same: 0 };
  const model = await RuntimeModel.load(bytes, file);
  try {
    for await (const batch of test.batches({ batchSize: BATCH })) {
      const { labels } = batch;
      if (labels.length === 0) continue;
      const images = normalised(context, batch);
      const logits = (await model.run(images.channelsFirst, images.shape)).get(outputName);
      if (logits?.length !== images.count * network.classes.length) {
        throw new UserError(`${file}: expected ${network.classes.length} values per image from "${outputName}"`);
      }
      const uploaded = ops.tensor(images.channelsLast, [images.count, ...test.imageShape]);
      const trainer = reference.classify(uploaded);
      ops.release(uploaded);
      for (let index = 0; index < images.count; index++) {
        const predicted = largestIndex(logits, index * network.classes.length, network.classes.length);
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
  }
  const percent = (count: number) => (100 * count) / counts.images;
  const top1 = percent(counts.runtime);
  const sameClass = percent(counts.same);
  const trainerTop1 = recordedTop1 ?? percent(counts.trainer);
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

/** Images normalised by the engine, in both orders. */
function normalised({ network, test, ops }: Context, { images, labels }: ByteBatch) {
  const [height, width, channels] = test.imageShape;
  const count = labels.length;
  const channelsLast = ops.scope(
    () => floats(ops, ops.normalize(ops.tensor(images, [count, height, width, channels]), network.normalization)),
    () => [],
  );
  const channelsFirst = toChannelsFirst(network, network.nodes[0]!, channelsLast);
  return { count, channelsLast, channelsFirst, shape: [count, channels, height, width] };
}

/** Downloads a copy that outlives the tensor. */
const floats = (ops: Ops, x: Tensor): Float32Array => Float32Array.from(ops.read(x));

function largestIndex(values: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index++) if (values[start + index]! > values[start + best]!) best = index;
  return best;
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}
