import type { DataConfig, TextConfig } from "../config/sections/data-settings.ts";
import { last } from "../core/elements.ts";
import { UsageError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { createSplit, createTrainingSplit } from "./batches.ts";
import type { Dataset, LoadedData, Normalization, Split } from "./dataset.ts";
import { openFolder } from "./formats/folder/open-folder.ts";
import { loadNpz } from "./formats/numpy/load-npz.ts";
import { loadText } from "./formats/text/load-text.ts";
import { leavingOut } from "./leaving-out.ts";
import { memorySource } from "./memory-source.ts";
import { measure } from "./normalization.ts";
import type { OpenedData } from "./opened-data.ts";
import { loadCifar10 } from "./sets/cifar10.ts";
import { loadCifar100 } from "./sets/cifar100.ts";
import { loadFashionMnist } from "./sets/fashion-mnist.ts";
import { loadMnist } from "./sets/mnist.ts";
import { fetchReuters, reutersFolder } from "./sets/reuters-r8.ts";
import { firstIndices, holdOut } from "./split.ts";
import type { TargetKind } from "./targets.ts";

/** Images that streamed data is measured on: reading all would take as long as an epoch. */
const measuredOfStream = 5000;

interface LoadContext {
  /** Chooses which images are held out, and fixes the order and the changes of training images. */
  readonly seed: number;
  readonly reporter: Reporter;
  /** What the task needs to know of each image; null: nothing, and what is known comes along. */
  readonly targets: TargetKind | null;
  /** Whether images that nothing is said of will do; they do not if left out. */
  readonly unlabelled?: boolean;
  /** Names of classes whose images are not trained on; none if left out. */
  readonly without?: readonly string[] | undefined;
}

/** What opening a data set needs to know. */
type OpenContext = Required<Omit<LoadContext, "without">>;

/**
 * Loads or opens a data set, fetching it once where that can be done and no folder is given, and holds out the
 * validation share. Call `close` on it at the end.
 *
 * @throws UserError when files are missing, damaged or cannot be fetched; UsageError when a setting does not fit the
 * data, as a share that leaves a part empty, or when the data has other targets than the task needs.
 */
export async function loadDataset(
  config: DataConfig,
  { seed, reporter, targets, unlabelled = false, without = [] }: LoadContext,
): Promise<Dataset> {
  const opened = await open(config, { seed, reporter, targets, unlabelled });
  try {
    const { train, test } = opened;
    const { limit, validationShare } = config;
    if (opened.validation !== null && validationShare > 0) {
      throw new UsageError("data.validationShare: the folder has validation images of its own; leave the share away");
    }
    const part = holdOut(firstIndices(train.count, limit?.train), { share: validationShare, seed });
    const validation = opened.validation === null ? part.validation : firstIndices(opened.validation.count);
    const tested = firstIndices(test.count, limit?.test);
    const trained = leavingOut(opened, { train: part.train, validation, test: tested }, without);
    const training = createTrainingSplit(train, trained, seed);
    return {
      name: config.name,
      imageShape: opened.imageShape,
      targets: opened.targets,
      ...(opened.tokens && { tokens: opened.tokens }),
      ...(opened.values && { values: true }),
      normalization: await normalizationOf(config, opened, training),
      train: training,
      validation: validation && createSplit(opened.validation ?? train, validation),
      test: createSplit(test, tested),
      files: opened.files,
      images: opened.images,
      damaged: opened.damaged,
      close: opened.close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

const needed = { values: "numbers", labels: "rows of labels", masks: "masks" } as const;

async function open(config: DataConfig, context: OpenContext): Promise<OpenedData> {
  const { targets } = context;
  if (config.name !== "npz" && config.name !== "folder" && targets !== null && targets !== "classes") {
    throw new UsageError(
      `task.name: it needs ${needed[targets]} to learn, and the images of data.name ${config.name} have classes; use data.name npz or folder, or task.name classification`,
    );
  }
  if (config.name === "folder") return openFolder(config, context);
  const { train, test, ...rest } = await load(config, context);
  const augmentation = config.name === "text" ? undefined : config.augmentation;
  if (augmentation !== undefined && (rest.tokens !== undefined || rest.values)) {
    throw new UsageError(
      `data.augmentation: images are cropped and flipped, and the samples of data.name ${config.name} are ${rest.values ? "values" : "texts"}; leave it away`,
    );
  }
  const options = { augmentation, seed: context.seed };
  return {
    ...rest,
    train: memorySource(train, rest.imageShape, options),
    classes:
      train.targets.kind === "classes" && test.targets.kind === "classes"
        ? { train: train.targets.values, validation: null, test: test.targets.values }
        : null,
    validation: null,
    test: memorySource(test, rest.imageShape, options),
    images: null,
    damaged: () => [],
    close: async () => {},
  };
}

async function load(
  config: Exclude<DataConfig, { name: "folder" }>,
  { reporter, targets, unlabelled, seed }: OpenContext,
): Promise<LoadedData> {
  switch (config.name) {
    case "mnist":
      return loadMnist(config.folder, reporter);
    case "fashion-mnist":
      return loadFashionMnist(config.folder);
    case "cifar10":
      return loadCifar10(config.folder, reporter);
    case "cifar100":
      return loadCifar100(config.folder);
    case "npz":
      return loadNpz(config, targets, { unlabelled });
    case "text":
      return loadText(config, { seed, folder: await textFolder(config, reporter) });
  }
}

/** Where the texts lie; a corpus is fetched once. */
async function textFolder({ corpus, folder }: TextConfig, reporter: Reporter): Promise<string> {
  if (folder !== undefined) return folder;
  switch (corpus) {
    case undefined:
      throw new UsageError("data.folder: expected either a folder or a corpus");
    case "reuters-r8":
      await fetchReuters(reporter);
      return reutersFolder();
  }
}

async function normalizationOf(
  config: DataConfig,
  { normalization: usual, imageShape, train, tokens, values }: OpenedData,
  training: Split,
): Promise<Normalization | null> {
  const normalization = config.name === "text" ? undefined : config.normalization;
  if (values && normalization === undefined) return null;
  if (values) {
    throw new UsageError(
      "data.normalization: floats go into the network as they are; leave it away, and save them as the network is to see them",
    );
  }
  if (tokens !== undefined) {
    if (normalization === undefined) return null;
    throw new UsageError("data.normalization: texts are numbers of tokens, which are not normalised; leave it away");
  }
  const channels = last(imageShape);
  if (typeof normalization === "object") {
    if (normalization.mean.length === channels) return normalization;
    throw new UsageError(
      `data.normalization: ${normalization.mean.length} means and deviations, but the images have ${channels} channel${channels === 1 ? "" : "s"}`,
    );
  }
  if (normalization === undefined && usual !== null) return usual;
  return measure(training, channels, train.ahead(1) > 0 ? measuredOfStream : training.count);
}
