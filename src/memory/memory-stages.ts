import type { RunConfig } from "../config/schema.ts";
import type { Distillation } from "../config/sections/loss-settings.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Network } from "../kinds/index.ts";
import type { Clustering, Layerwise, Method } from "../methods/method.ts";
import { estimateClustering, estimateLayerwise } from "./layerwise-memory.ts";
import { evaluationMemory, keptOutputsMemory, savingMemory, teacherMemory, trainingMemory } from "./training-memory.ts";

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
  /** What the run has of it: of a batch, no more than there are images. */
  readonly value: number;
  /** Bytes at most, at another value. */
  atMostAt(value: number): number;
}

/** What decides how much memory a run takes, beside its settings. */
export interface RunShape {
  /** With the method's quantizers. */
  readonly network: Network;
  readonly method: Pick<Method, "layerwise" | "clustering">;
  /** What the network learns from, where that is not labels alone. */
  readonly distillation?: Distillation | null | undefined;
  /** Images that there are: a batch holds no more. */
  readonly images: ImageCounts;
}

export interface ImageCounts {
  readonly train: number;
  /** Of the largest part that is evaluated. */
  readonly evaluation: number;
}

/** What a run evaluates and trains on, as far as memory goes. */
export const imageCountsOf = ({
  train,
  validation,
  test,
}: Pick<Dataset, "train" | "validation" | "test">): ImageCounts => ({
  train: train.count,
  evaluation: Math.max(test.count, validation?.count ?? 0),
});

/** What a run takes memory for: training, clustering before it, or quantizing layer by layer; evaluation, saving. */
export function memoryStages(
  { data }: Pick<RunConfig, "data">,
  { network, method: { layerwise, clustering }, distillation = null, images }: RunShape,
): readonly MemoryStage[] {
  const trainingBatch = Math.min(data.batchSize, images.train);
  const isOwn = distillation?.teacher === undefined;
  // What becomes codebooks stays as it is for the teacher too.
  const held = clustering && isOwn ? 0 : teacherMemory(distillation, network);
  // Checkpoints have it: as arrays and as the file.
  const saved = isOwn ? 2 * held : 0;
  const work = layerwise
    ? quantizingStages(network, layerwise, saved)
    : trainingStages(network, { batchSize: trainingBatch, saved });
  const evaluation = certainly("evaluation", {
    path: "data.evaluationBatchSize",
    value: Math.min(data.evaluationBatchSize, images.evaluation),
    atMostAt: (batchSize) => evaluationMemory(network, batchSize),
  });
  const stages = [...(clustering ? clusteringStages(network, clustering) : []), ...work, evaluation];
  const kept = distillation ? keptOutputsMemory(distillation, network, images.train + images.evaluation) : 0;
  return stages.map((stage) => withHeld(stage, held + kept));
}

/** Blocks that nothing weighs are clustered in less than a training step takes. */
function clusteringStages(network: Network, clustering: Clustering): readonly MemoryStage[] {
  const { calibration } = clustering;
  if (calibration === null) return [];
  const at = (images: number) => estimateClustering(network, { ...clustering, calibration }, images);
  return [
    certainly(`clustering ${at(calibration.images).layer}`, {
      path: CALIBRATION_IMAGES,
      value: calibration.images,
      atMostAt: (images) => at(images).bytes,
    }),
  ];
}

/** A stage beside which so many bytes are there. */
const withHeld = ({ what, likely, atMost, setting }: MemoryStage, bytes: number): MemoryStage => ({
  what,
  likely: likely + bytes,
  atMost: atMost + bytes,
  setting: setting && { ...setting, atMostAt: (value) => setting.atMostAt(value) + bytes },
});

/** @param options Images that a batch has at most, and bytes that saving takes beside the network. */
const trainingStages = (
  network: Network,
  { batchSize, saved }: { readonly batchSize: number; readonly saved: number },
): readonly MemoryStage[] => [
  {
    what: "training",
    ...trainingMemory(network, batchSize),
    setting: {
      path: "data.batchSize",
      value: batchSize,
      atMostAt: (value) => trainingMemory(network, value).atMost,
    },
  },
  saving(savingMemory(network) + saved),
];

const CALIBRATION_IMAGES = "method.calibration.images";

function quantizingStages(network: Network, layerwise: Layerwise, saved: number): readonly MemoryStage[] {
  const { images } = layerwise.calibration;
  const at = (count: number) => estimateLayerwise(network, layerwise, count);
  const estimate = at(images);
  return [
    certainly(`quantizing ${estimate.layer}`, {
      path: CALIBRATION_IMAGES,
      value: images,
      atMostAt: (count) => at(count).quantizing,
    }),
    saving(estimate.saving + saved),
  ];
}

const saving = (bytes: number): MemoryStage => ({ what: "saving", likely: bytes, atMost: bytes, setting: null });

/** A stage that takes as many bytes in any case. */
function certainly(what: string, setting: MemorySetting): MemoryStage {
  const bytes = setting.atMostAt(setting.value);
  return { what, likely: bytes, atMost: bytes, setting };
}
