import type { RunConfig } from "../config/schema.ts";
import { distillationOf } from "../config/sections/loss-settings.ts";
import type { Reporter } from "../core/progress.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { numberBytes } from "../data/sample-numbers.ts";
import { elementsOf } from "../graph/shape.ts";
import { createMethod } from "../methods/create-method.ts";
import { plainOf } from "../methods/method.ts";
import { loadNetwork, type NetworkData, networkDataOf } from "../network/load-network.ts";
import { createTask, outputKindOf, targetKindOf } from "../tasks/create-task.ts";
import { describeTargets, labelNeeds, learnsUnlabelled } from "../training/unlabelled-targets.ts";
import { type ImageCounts, imageCountsOf, type MemoryStage, memoryStages } from "./memory-stages.ts";

/** Bytes of a process before its first step, without its images, and of what verifies the exported file. */
const PROCESS = 500 * 2 ** 20;

interface DataShape {
  readonly network: NetworkData;
  readonly images: ImageCounts;
  /** Bytes of images that are in memory all the time. */
  readonly held: number;
  readonly isLabelled: boolean;
}

interface NamedRun {
  readonly name: string;
  readonly config: RunConfig;
}

/** Bytes that a run will use at most: what is there all the time, and the largest of its stages. */
export interface RunEstimate {
  readonly bytes: number;
  readonly always: number;
  readonly stages: readonly MemoryStage[];
}

/**
 * What each run will use, by its name, from the shapes of its network. Opens each data set once, which fetches what is
 * not there yet: runs that start together find it.
 *
 * @throws UserError, UsageError when data or a network's file cannot be read.
 */
export async function estimateRuns(
  runs: readonly NamedRun[],
  reporter: Reporter,
): Promise<ReadonlyMap<string, RunEstimate>> {
  const shapes = new Map<string, DataShape>();
  const needs = new Map<string, RunEstimate>();
  for (const { name, config } of runs) {
    // How they are batched and changed decides no shape.
    const source = { ...config.data, batchSize: 0, evaluationBatchSize: 0, augmentation: undefined };
    const key = JSON.stringify([source, config.task, learnsUnlabelled(config) && [config.training, config.network]]);
    const shape = shapes.get(key) ?? (await shapeOf(config, reporter));
    shapes.set(key, shape);
    const { network } = loadNetwork(config.network, shape.network, { outputKind: outputKindOf(config.task) });
    const method = createMethod(config.method, config.seed);
    const prepared = method.prepare(plainOf(method, network));
    const distillation = distillationOf(config, shape.isLabelled);
    const stages = memoryStages(config, { network: prepared, method, distillation, images: shape.images });
    const always = PROCESS + shape.held;
    needs.set(name, { bytes: always + Math.max(...stages.map(({ atMost }) => atMost)), always, stages });
  }
  return needs;
}

async function shapeOf(config: RunConfig, reporter: Reporter): Promise<DataShape> {
  const { data, task, seed } = config;
  const kind = targetKindOf(task);
  const dataset = await loadDataset(data, { seed, reporter, ...labelNeeds(config) });
  await dataset.close();
  const { train, validation, test, imageShape, normalization } = dataset;
  const { units } = createTask(task, describeTargets(config, { ...dataset, kind }), dataset);
  const count = train.count + (validation?.count ?? 0) + test.count;
  const held = data.name === "folder" ? 0 : count * elementsOf(imageShape) * numberBytes({ normalization });
  return {
    network: networkDataOf(dataset, units),
    images: imageCountsOf(dataset),
    held,
    isLabelled: kind === null || dataset.targets.kind !== "none",
  };
}
