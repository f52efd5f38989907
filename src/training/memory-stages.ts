import type { RunConfig } from "../config/schema.ts";
import type { Network } from "../kinds/index.ts";
import type { Layerwise } from "../methods/method.ts";
import { estimateLayerwise } from "./layerwise/layerwise-memory.ts";
import { evaluationMemory, savingMemory, trainingMemory } from "./memory-estimate.ts";

/** A part of a run that takes memory for itself: of several, only one is there at a time. */
export interface MemoryStage {
  /** As `training`. */
  readonly what: string;
  /** Bytes, once most gates are decided. */
  readonly likely: number;
  /** Bytes while all gates are undecided. */
  readonly atMost: number;
  /** The setting that it shrinks with; null: there is none. */
  readonly setting: MemorySetting | null;
}

export interface MemorySetting {
  readonly path: string;
  readonly value: number;
  /** Bytes at most, at another value. */
  atMostAt(value: number): number;
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
  const work = layerwise ? quantizingStages(network, layerwise) : trainingStages(network, data.batchSize);
  const evaluation = certainly("evaluation", {
    path: "data.evaluationBatchSize",
    value: data.evaluationBatchSize,
    atMostAt: (batchSize) => evaluationMemory(network, batchSize),
  });
  return [...work, evaluation];
}

const trainingStages = (network: Network, batchSize: number): readonly MemoryStage[] => [
  {
    what: "training",
    ...trainingMemory(network, batchSize),
    setting: {
      path: "data.batchSize",
      value: batchSize,
      atMostAt: (value) => trainingMemory(network, value).atMost,
    },
  },
  saving(savingMemory(network)),
];

function quantizingStages(network: Network, layerwise: Layerwise): readonly MemoryStage[] {
  const { images } = layerwise.calibration;
  const at = (count: number) => estimateLayerwise(network, layerwise, count);
  const estimate = at(images);
  return [
    certainly(`quantizing ${estimate.layer}`, {
      path: "method.calibration.images",
      value: images,
      atMostAt: (count) => at(count).quantizing,
    }),
    saving(estimate.saving),
  ];
}

const saving = (bytes: number): MemoryStage => ({ what: "saving", likely: bytes, atMost: bytes, setting: null });

/** A stage that takes as many bytes in any case. */
function certainly(what: string, setting: MemorySetting): MemoryStage {
  const bytes = setting.atMostAt(setting.value);
  return { what, likely: bytes, atMost: bytes, setting };
}
