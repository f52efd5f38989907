import { basename, extname } from "node:path";
import { parseConfig, parseData } from "../config/parse-config.ts";
import { runName } from "../config/run-name.ts";
import type { RunConfig, RunSettings } from "../config/schema.ts";
import { availableMemory } from "../core/available-memory.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { ImageDataset } from "../data/dataset.ts";
import { loadDataset } from "../data/load-dataset.ts";
import { requireImages } from "../data/require-images.ts";
import { outputsOf } from "../data/targets.ts";
import { imageCountsOf } from "../memory/index.ts";
import { budgetOf } from "../methods/budget.ts";
import { createMethod } from "../methods/create-method.ts";
import { leastCost } from "../methods/fit-budget.ts";
import { loadNetwork } from "../network/load-network.ts";
import { readNetworkFile } from "../network/onnx/read-network-file.ts";
import type { Model } from "../onnx/onnx-model.ts";
import { prepare } from "../runner/prepare.ts";
import { createTask } from "../tasks/create-task.ts";
import { type ChosenNormalization, chooseNormalization } from "./choose-normalization.ts";
import { type FoundData, findData } from "./find-data.ts";
import { fitBatches } from "./fit-batches.ts";
import { measuredConfig, measureTraining, type Timing } from "./measure-training.ts";
import { planTraining, type TrainingPlan } from "./plan-training.ts";
import { figuresOf, type NetworkFigures, usualNetwork } from "./starting-network.ts";

/** What a first run of somebody who only wants to see one is trained on. */
const USUAL_DATA = "mnist";
/** Percent of the bit operations in float32; 4-bit weights and 8-bit inputs come to 3.1. */
const USUAL_BUDGET = 3;
/** Times the least that a network can come to: its gates need something to choose. */
const ROOM = 1.5;
/** Images of a step, and how many steps an epoch is to have where there are few images. */
const [LARGEST_BATCH, SMALLEST_BATCH, STEPS] = [128, 8, 8];

/** What there is to train, and on what; of both a user may say nothing. */
export interface Given {
  /** An ONNX file; without it a network of the zoo is trained from the beginning. */
  readonly model?: string | undefined;
  /** A folder of images, a .npz file or the name of a data set; without it, and without a file, MNIST. */
  readonly data?: string | undefined;
}

/** What the run is called, and the file of its configuration: as the network's file, or the images. */
export function proposedName({ model, data = USUAL_DATA }: Given): string {
  const path = model ?? data;
  return runName(basename(path, extname(path))) || "run";
}

/** A configuration for a network's file and images, and what it was made of. */
export interface Proposal {
  readonly settings: RunSettings;
  readonly network: NetworkFigures;
  readonly data: Pick<ImageDataset, "targets" | "imageShape"> & {
    readonly given: string;
    readonly trainImages: number;
    readonly testImages: number;
  };
  /** How the file's images are normalised, and how well it does; null: it is no file. */
  readonly answers: ChosenNormalization | null;
  readonly task: "classification" | "regression";
  readonly timing: Timing;
  readonly batchSize: number;
  /** Percent of bit operations. */
  readonly budget: number;
  readonly plan: TrainingPlan;
  readonly notes: readonly string[];
}

/**
 * Looks at a network's file and at images, tries both for some seconds, and proposes how to train.
 *
 * @throws UsageError, UserError where there is nothing to train on, or the file cannot be taken over.
 */
export async function proposeRun(given: Given, reporter: Reporter): Promise<Proposal> {
  const { model: path, data: place = USUAL_DATA } = given;
  const model = path === undefined ? null : readNetworkFile(path).model;
  if (given.data === undefined && path !== undefined) {
    throw new UsageError(
      `init ${path}: say with --data which images it is for: a folder with one folder for each class, a .npz file, or mnist, fashion-mnist, cifar10; quantize takes the file without images`,
    );
  }
  const found = await findData(place, model);
  const look = await lookAt(found, { path, model }, reporter);
  const { network, answers, task } = look;
  const isTrained = answers?.isTrained ?? false;
  const draft = draftOf(look, found, proposedName(given));
  reporter.info("measuring a few training steps");
  await using prepared = await prepare(measuredConfig(parseConfig(draft.settings)), reporter);
  const timing = await measureTraining(prepared);
  const { batchSize } = prepared.config.data;
  const images = look.counts;
  const plan = planTraining({ ...images, batchSize, timing }, isTrained);
  const settings = withPlan(draft.settings, plan, { isTrained });
  // What is written is what a reader takes.
  parseConfig(settings);
  const { imageShape, targets } = requireImages(prepared.dataset, "init");
  const data = { given: place, targets, imageShape, trainImages: images.images, testImages: images.evaluated };
  return {
    ...{ settings, network, data, answers, task, timing, batchSize, plan },
    budget: draft.budget,
    notes: found.notes,
  };
}

/** What there is before anything is chosen. */
interface Look {
  readonly network: NetworkFigures;
  readonly answers: ChosenNormalization | null;
  readonly task: Proposal["task"];
  readonly counts: { readonly images: number; readonly evaluated: number };
  readonly memory: ReturnType<typeof imageCountsOf>;
}

async function lookAt(
  { settings }: FoundData,
  { path, model }: { readonly path: string | undefined; readonly model: Model | null },
  reporter: Reporter,
): Promise<Look> {
  // Of a .npz its labels tell what is learned.
  const targets = settings.name === "npz" ? null : "classes";
  const loaded = await loadDataset(parseData(settings), { seed: 1, reporter, targets });
  try {
    const dataset = requireImages(loaded, "init");
    const { imageShape, train, test } = dataset;
    const task = dataset.targets.kind === "classes" ? "classification" : "regression";
    const source = path === undefined ? { name: usualNetwork(imageShape) } : { file: path };
    const folder = settings.name === "folder" ? settings.folder : null;
    const network = figuresOf(
      source,
      { inputShape: imageShape, outputs: outputsOf(dataset.targets) },
      { model, folder },
    );
    const chosen = createTask(task === "regression" ? { name: task } : undefined, dataset.targets);
    if (path !== undefined) reporter.info(`running ${path} on images, normalised in the usual ways`);
    return {
      ...{ network, task, memory: imageCountsOf(dataset) },
      answers: path === undefined ? null : await chooseNormalization(path, dataset, chosen),
      counts: { images: train.count, evaluated: test.count },
    };
  } finally {
    await loaded.close();
  }
}

/** Everything but how long: batches that fit, a budget that can be met. */
function draftOf(
  { network, answers, task, counts, memory }: Look,
  { settings: data }: FoundData,
  name: string,
): { readonly settings: RunSettings; readonly budget: number } {
  const { source, inputShape, outputs } = network;
  const setting = answers?.isTrained ? answers.setting : undefined;
  const settings = (batches: object, budget: number): RunSettings => ({
    name,
    ...(task === "regression" && { task: { name: task } }),
    data: { ...data, ...(setting !== undefined && { normalization: setting }), ...batches },
    network: source,
    method: { name: "bayesian-bits", prior: { target: { relativeBops: budget } } },
    training: { epochs: 1 },
  });
  const { network: plain } = loadNetwork(source, { inputShape, classes: outputs });
  const wanted = Math.min(LARGEST_BATCH, Math.max(SMALLEST_BATCH, 2 ** Math.floor(Math.log2(counts.images / STEPS))));
  const first = parseConfig(settings({ batchSize: wanted }, USUAL_BUDGET));
  const fitted = fitBatches(first, { network: plain, images: memory, available: availableMemory() });
  const batches = {
    batchSize: fitted.batchSize,
    ...(fitted.evaluationBatchSize < first.data.evaluationBatchSize && {
      evaluationBatchSize: fitted.evaluationBatchSize,
    }),
  };
  const budget = Math.max(USUAL_BUDGET, Number((ROOM * leastBops(first, plain)).toPrecision(2)));
  return { settings: settings(batches, budget), budget };
}

/** The least relative bit operations that the method's gates can come to. */
function leastBops(config: RunConfig, plain: ReturnType<typeof loadNetwork>["network"]): number {
  const method = createMethod(config.method, config.seed);
  const network = method.prepare(plain);
  return leastCost(method.quantizers(network), budgetOf(network, { relativeBops: USUAL_BUDGET }));
}

/** The settings with how long, or, where that is too long, with what needs no training. */
function withPlan(
  { training: _, method, ...settings }: RunSettings,
  { pretrainEpochs, epochs, rates, isTooLong }: TrainingPlan,
  { isTrained }: { readonly isTrained: boolean },
): RunSettings {
  if (isTooLong) return { ...settings, method: { name: "adaround", bits: { weights: 4, activations: 8 } } };
  return {
    ...settings,
    method,
    training: {
      ...(pretrainEpochs > 0 && { pretrain: { epochs: pretrainEpochs } }),
      epochs,
      weights: { learningRate: rates.weights, ...(isTrained && { schedule: "cosine" }) },
      gates: { learningRate: rates.gates },
    },
  };
}
