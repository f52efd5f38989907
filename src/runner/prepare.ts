import type { RunConfig } from "../config/schema.ts";
import { distillationOf } from "../config/sections/loss-settings.ts";
import { first } from "../core/elements.ts";
import { UsageError, UserError } from "../core/errors.ts";
import { lookup } from "../core/lookup.ts";
import type { Reporter } from "../core/progress.ts";
import type { Dataset } from "../data/dataset.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { refuseTexts } from "../data/require-images.ts";
import { taughtBy } from "../data/taught.ts";
import { type Engine, loadEngine } from "../engine/load-engine.ts";
import { verifyImport } from "../export/verify-import.ts";
import { elementsOf } from "../graph/shape.ts";
import { onlyOutput } from "../graph/walk.ts";
import type { Network } from "../kinds/index.ts";
import { requireSearchable } from "../methods/autoq/require-searchable.ts";
import { budgetOf } from "../methods/budget.ts";
import { createMethod } from "../methods/create-method.ts";
import { leastCost } from "../methods/fit-budget.ts";
import { type Method, plainOf } from "../methods/method.ts";
import { type LoadedNetwork, loadNetwork, networkDataOf } from "../network/load-network.ts";
import type { NetworkFile } from "../network/onnx/read-network-file.ts";
import { outputShapes } from "../network/output-shapes.ts";
import type { RunRecord } from "../runs/record.ts";
import { createTask, type Findings, outputKindOf, targetKindOf } from "../tasks/create-task.ts";
import type { DistilledHead } from "../tasks/distillation/distance-of-heads.ts";
import { distilled } from "../tasks/distillation/distilled.ts";
import { judgedByTeacher } from "../tasks/distillation/judged-by-teacher.ts";
import { smoothed } from "../tasks/smoothed.ts";
import type { Task } from "../tasks/task.ts";
import { createModel, type Model } from "../training/model.ts";
import { type Phase, planPhases } from "../training/phases.ts";
import { constantStrength, type PriorStrength } from "../training/prior-strength.ts";
import { SteeredStrength } from "../training/steered-strength.ts";
import { Trainer } from "../training/trainer.ts";
import { describeTargets, labelNeeds } from "../training/unlabelled-targets.ts";
import { distilledHead } from "./file-teacher.ts";
import { environmentOf } from "./run-environment.ts";
import { Teaching } from "./teaching.ts";

/** Everything that a configuration stands for, ready to train, evaluate or export. */
export interface Prepared extends AsyncDisposable {
  readonly config: RunConfig;
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** What is learned: where there is a teacher, its loss is the distance from that. */
  readonly task: Task<Findings>;
  /** What the network learns from, where that is not labels alone. */
  readonly teaching: Teaching | null;
  /** The file that the network comes from; null: the zoo. */
  readonly networkFile: NetworkFile | null;
  readonly method: Method;
  /** The network as it was defined. */
  readonly source: LoadedNetwork;
  /** The network in float32 that the method's quantizers go into. */
  readonly plain: Network;
  readonly model: Model;
  readonly phases: readonly Phase[];
  readonly trainer: Trainer;
}

/**
 * Loads engine and data, and builds the network with its quantizers at their start. What is given owns the images'
 * reading threads and the engine's variables: `await using` frees them.
 *
 * @param begun The record of the run, where it has begun before.
 * @throws UserError, UsageError when engine, data or network cannot be had, or settings do not fit them.
 */
export async function prepare(config: RunConfig, reporter: Reporter, begun?: BegunRun): Promise<Prepared> {
  const { kind, threads } = config.engine;
  const engine = await loadEngine({ kind, reporter, ...(threads !== undefined && { threads }) });
  const dataset = await loadDataset(config.data, { seed: config.seed, reporter, ...labelNeeds(config) });
  try {
    return await build(config, { engine, loaded: dataset, recorded: begun?.data.targets });
  } catch (error) {
    await dataset.close();
    throw error;
  }
}

/** What was found out when a run began. */
type BegunRun = Pick<RunRecord, "data">;

interface Parts {
  readonly engine: Engine;
  readonly loaded: Dataset;
  readonly recorded: BegunRun["data"]["targets"] | undefined;
}

async function build(config: RunConfig, { engine, loaded, recorded }: Parts): Promise<Prepared> {
  const kind = targetKindOf(config.task);
  const isLabelled = kind === null || loaded.targets.kind !== "none";
  const read = { ...loaded, targets: describeTargets(config, { ...loaded, kind, recorded }) };
  const labelled = learnedTask(config, createTask(config.task, read.targets, read));
  const own = isLabelled ? labelled : judgedByTeacher(labelled);
  const method = createMethod(config.method, config.seed);
  if (method.layerwise || method.search || method.clustering) refuseTexts(read, `method.name: ${config.method.name}`);
  const data = networkDataOf(read, own.units);
  const { imported, ...source } = loadNetwork(config.network, data, { outputKind: outputKindOf(config.task) });
  const { initial, file: networkFile } = source;
  requireOutputs(source.network, own);
  const several = imported !== null && imported.outputs.length > 1 ? imported.outputs.map(distilledHead) : undefined;
  const learnsAll = several !== undefined && distillationOf(config, isLabelled)?.weight === 1;
  if (imported?.outputs.some(({ ending }) => ending !== null) && own.softmax === null && !learnsAll) {
    throw new UserError(
      `${imported.path}: it ends in a softmax, which gives probabilities of classes, no values: use task.name classification, or take the softmax off`,
    );
  }
  if (imported !== null) {
    const samples = { inputShape: read.imageShape, classes: own.units };
    await verifyImport({ ...imported, ...source, ...samples }, engine.ops, config.engine);
  }
  const plain = plainOf(method, source.network);
  const network = method.prepare(plain);
  const strength = strengthOf(method, network);
  if (method.search) requireSearchable(method.search, network, own.description);
  const model = createModel(network, {
    ops: engine.ops,
    trainingOps: engine.atPrecision(config.engine.precision),
    seed: config.seed,
    quantizers: method.quantizers(network),
    ...(method.clustering && { learning: new Set() }),
    initial,
  });
  const { threads } = config.engine;
  const { teaching, task, dataset } = await taught(config, {
    own,
    read,
    isLabelled,
    model,
    plain,
    threads,
    engine,
    heads: several,
  });
  const phases = planPhases(config.training, method);
  const trainer = new Trainer(model, first(phases).groups, { strength, plain });
  trainer.enter(first(phases));
  return {
    ...{ config, engine, dataset, task, teaching, networkFile, method, source, plain, model, phases, trainer },
    async [Symbol.asyncDispose]() {
      trainer.weights.dispose();
      await teaching?.[Symbol.asyncDispose]();
      for (const variable of model.parameters.values()) engine.ops.dispose(variable);
      await dataset.close();
    },
  };
}

/** The task with the loss that training lowers. @throws UsageError where it cannot be that of the task. */
function learnedTask({ training: { loss } }: RunConfig, task: Task<Findings>): Task<Findings> {
  return loss?.name === "task" && loss.labelSmoothing > 0 ? smoothed(task, loss.labelSmoothing) : task;
}

/** @throws UsageError where a network does not give what its task needs. */
function requireOutputs(network: Network, { name, outputs, units }: Task): void {
  const shape = lookup(outputShapes(network), onlyOutput(network));
  if (elementsOf(shape) === outputs) return;
  throw new UsageError(
    `network: ${network.name} gives ${shape.join(" x ")}, and task.name ${name} needs ${outputs} values, ${units} in the last axis: take another network`,
  );
}

interface Untaught {
  readonly own: Task<Findings>;
  /** As it is read. */
  readonly read: Dataset;
  readonly isLabelled: boolean;
  readonly model: Model;
  readonly plain: Network;
  readonly threads: number | undefined;
  readonly engine: Pick<Engine, "info">;
  readonly heads: readonly DistilledHead[] | undefined;
}

/** What of a configuration and its data decides which samples there are, and what they are like. */
function dataKey({ data, seed, task }: RunConfig, { files, normalization }: Dataset): unknown {
  const { batchSize: _, evaluationBatchSize: __, ...samples } = data;
  const without = task?.name === "reconstruction" ? task.anomalies : [];
  return { samples, files, normalization, without, ...(data.validationShare > 0 && { seed }) };
}

/** Task and data as the network learns them: from labels, or from a teacher. */
async function taught(
  config: RunConfig,
  { own, read, isLabelled, ...run }: Untaught,
): Promise<Pick<Prepared, "task" | "dataset" | "teaching">> {
  const distillation = distillationOf(config, isLabelled);
  if (distillation === null) return { task: own, dataset: read, teaching: null };
  const outputsKey = { ...environmentOf(run.engine.info), data: dataKey(config, read), outputs: own.outputs };
  const teaching = await Teaching.open(distillation, { ...run, dataset: read, task: own, outputsKey });
  return {
    teaching,
    task: distilled(own, { ...distillation, variance: (head) => teaching.variance(head), heads: run.heads }),
    dataset: taughtBy(read, (batch) => teaching.teach(batch)),
  };
}

/**
 * The prior strength: as it is given, or steered to a target.
 *
 * @throws UsageError when no gates come to the target.
 */
function strengthOf({ prior: { strength, target }, quantizers }: Method, network: Network): PriorStrength {
  if (target === null) return constantStrength(strength);
  const budget = budgetOf(network, target);
  const least = leastCost(quantizers(network), budget);
  if (least > budget.limit) {
    throw new UsageError(
      `method.prior.target: expected at least ${Number(least.toPrecision(3))}, what ${network.name} costs with 2 bits and one channel everywhere, got ${budget.limit}`,
    );
  }
  return new SteeredStrength(budget, strength);
}
