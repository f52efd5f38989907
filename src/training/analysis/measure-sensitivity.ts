import { at } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import { square } from "../../core/powers.ts";
import type { Normalization } from "../../data/dataset.ts";
import { pickTargets } from "../../data/targets.ts";
import type { NodeId } from "../../graph/graph.ts";
import { account } from "../../methods/bit-accounting.ts";
import { type BitWidth, bitWidths } from "../../quantization/levels.ts";
import type { Quantizer } from "../../quantizers/abstract-quantizer.ts";
import { atBits } from "../../quantizers/at-bits.ts";
import type { Sensitivity } from "../../runs/analysis.ts";
import { mainMetric, mainValue } from "../../tasks/metric.ts";
import type { EvaluatedBatch, Task } from "../../tasks/task.ts";
import { evaluate } from "../evaluate.ts";
import type { Model } from "../model.ts";
import { testTimeGates } from "../pass.ts";
import { pausingSplit } from "../pausing-split.ts";
import type { HeldImages } from "./held-images.ts";
import { signalToNoise } from "./signal-to-noise.ts";

/** The width that every tensor is tried at. */
const triedBits = 8;

/** What one tensor could be instead, the others staying as they are. */
interface Change {
  readonly quantizer: NodeId;
  readonly bits: BitWidth;
  readonly changed: Quantizer;
}

/**
 * The changes that are tried: each tensor at 8 bits, and at the next width below its own. A tensor whose channels are
 * all pruned has none, nor has a weight that lies on a grid of its own.
 */
export function triedChanges({ quantizers }: Pick<Model, "quantizers">): readonly Change[] {
  return Array.from(quantizers).flatMap(([id, quantizer]) => {
    if (quantizer.kept?.length === 0) return [];
    const lower = bitWidths.findLast((bits) => bits < quantizer.bits);
    const tried = new Set<BitWidth>([triedBits, ...(lower === undefined ? [] : [lower])]);
    return [...tried]
      .filter((bits) => bits !== quantizer.bits)
      .sort((one, other) => one - other)
      .flatMap((bits): Change[] => {
        const changed = atBits(quantizer, bits);
        return changed === null ? [] : [{ quantizer: id, bits, changed }];
      });
  });
}

export interface SensitivityOptions {
  readonly task: Task;
  readonly images: HeldImages;
  readonly normalization: Normalization | null;
  /** Called between two batches; throws to end there. */
  pause(): Promise<void>;
  /** Hears after each evaluation how many are done. */
  progress(done: number): void;
}

/**
 * How much each tensor's bits matter, measured on held images with the test-time gates: its signal-to-noise ratio, and
 * the metrics with this tensor alone at another width. Ranges stay: nothing is trained anew.
 *
 * @returns Null where there is nothing to try, or no image.
 */
export async function measureSensitivity(model: Model, options: SensitivityOptions): Promise<Sensitivity | null> {
  const { task, images, normalization, pause, progress } = options;
  const changes = triedChanges(model);
  const { split } = images;
  if (changes.length === 0 || split.count === 0) return null;
  const scored = async (model: Model) => {
    const scores: number[] = [];
    const evaluation = await evaluate(model, pausingSplit(split, pause), {
      ...{ task, normalization, samples: testTimeGates(model), batchSize: split.count },
      observe: (batch) => scores.push(...imageScores(task, batch)),
    });
    return { ...evaluation, scores };
  };
  const { scores, ...base } = await scored(model);
  const ratios = signalToNoise(model, images.sample, normalization);
  const tensors = new Map<NodeId, Sensitivity["tensors"][number]["choices"]>();
  for (const [done, { quantizer, bits, changed }] of changes.entries()) {
    progress(done + 1);
    const quantizers = new Map(model.quantizers).set(quantizer, changed);
    const { scores: others, ...evaluation } = await scored({ ...model, quantizers });
    const { relativeBops, packedBytes } = account(model.network, quantizers);
    const error = standardError(others, scores);
    const choice = { bits, ...evaluation, error, relativeBops, bytes: packedBytes };
    tensors.set(quantizer, [...(tensors.get(quantizer) ?? []), choice]);
  }
  return {
    from: images.from,
    images: split.count,
    ...base,
    tensors: Array.from(model.quantizers.keys(), (quantizer) => ({
      quantizer,
      signalToNoise: lookup(ratios, quantizer),
      choices: tensors.get(quantizer) ?? [],
    })),
  };
}

/** The main metric of each image alone, where it is a share of the images: what standard errors are made of. */
function imageScores(task: Task, { count, images, outputs, targets }: EvaluatedBatch): readonly number[] {
  if (!mainMetric(task.description).isShare) return [];
  const [width, size] = [outputs.length / count, images.length / count];
  return Array.from({ length: count }, (_, image) => {
    const evaluator = task.evaluator();
    const own = pickTargets(targets, Uint32Array.of(image), count);
    evaluator.add({
      ...{ count: 1, targets: own, images: images.subarray(image * size, (image + 1) * size) },
      outputs: outputs.subarray(image * width, (image + 1) * width),
    });
    return mainValue(task.description, evaluator.metrics);
  });
}

/**
 * Of the mean difference of two lists of percentages, image by image; where no image differs, as if one did: so few say no
 * more. Null where there are fewer than two images.
 */
function standardError(one: readonly number[], other: readonly number[]): number | null {
  const count = one.length;
  if (count < 2) return null;
  const differences = one.map((score, image) => score - at(other, image));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / count;
  const squares = differences.reduce((sum, difference) => sum + square(difference - mean), 0);
  return Math.max(Math.sqrt(squares / (count - 1) / count), 100 / count);
}
