import type { RunConfig } from "../config/schema.ts";
import type { Layerwise } from "../methods/method.ts";
import type { Network } from "../network/graph.ts";
import { estimateMemory } from "./memory-estimate.ts";
import { estimateLayerwise } from "./post-training/memory-estimate.ts";

/** A part of a run that takes memory for itself: of several, only one is there at a time. */
export interface MemoryStage {
  /** Bytes. */
  readonly likely: number;
  readonly atMost: number;
  /** What is done, with what it needs. */
  says(inWords: (bytes: number) => string): string;
  /** The setting that it shrinks with; null: there is none. */
  readonly setting: MemorySetting | null;
}

export interface MemorySetting {
  readonly path: string;
  readonly value: number;
  /** Bytes at most, at another value. */
  atMost(value: number): number;
}

/** What decides how much memory a run takes, beside its settings. */
export interface RunNetwork {
  /** With the method's quantizers. */
  readonly network: Network;
  readonly layerwise?: Layerwise | undefined;
}

/** What a run takes memory for: training or quantizing layer by layer, evaluation, saving. */
export function memoryStages(
  { data }: Pick<RunConfig, "data">,
  { network, layerwise }: RunNetwork,
): readonly MemoryStage[] {
  const { batchSize, evaluationBatchSize } = data;
  const work = layerwise ? quantizingStages(network, layerwise) : trainingStages(network, batchSize);
  const evaluationAt = (size: number) => estimateMemory(network, { batchSize, evaluationBatchSize: size }).evaluation;
  const evaluation = certainly(
    evaluationAt(evaluationBatchSize),
    (needs) => `evaluation at data.evaluationBatchSize ${evaluationBatchSize} ${needs}`,
    { path: "data.evaluationBatchSize", value: evaluationBatchSize, atMost: evaluationAt },
  );
  return [...work, evaluation];
}

function trainingStages(network: Network, batchSize: number): readonly MemoryStage[] {
  const at = (size: number) => estimateMemory(network, { batchSize: size, evaluationBatchSize: 1 });
  const { training, trainingAtMost, saving } = at(batchSize);
  return [
    {
      likely: training,
      atMost: trainingAtMost,
      says: (inWords) =>
        `training at data.batchSize ${batchSize} needs about ${inWords(training)}, up to ${inWords(trainingAtMost)} while gates are undecided`,
      setting: { path: "data.batchSize", value: batchSize, atMost: (size) => at(size).trainingAtMost },
    },
    savingStage(saving),
  ];
}

function quantizingStages(network: Network, layerwise: Layerwise): readonly MemoryStage[] {
  const { images } = layerwise.calibration;
  const at = (count: number) => estimateLayerwise(network, layerwise, count);
  const { layer, quantizing, saving } = at(images);
  return [
    certainly(
      quantizing,
      (needs) => `quantizing ${layer} at method.calibration.images ${images} needs about ${needs}`,
      { path: "method.calibration.images", value: images, atMost: (count) => at(count).quantizing },
    ),
    savingStage(saving),
  ];
}

const savingStage = (bytes: number): MemoryStage => certainly(bytes, (needs) => `saving ${needs}`, null);

/** A stage that takes so many bytes in any case. */
const certainly = (bytes: number, says: (needs: string) => string, setting: MemorySetting | null): MemoryStage => ({
  likely: bytes,
  atMost: bytes,
  says: (inWords) => says(inWords(bytes)),
  setting,
});
