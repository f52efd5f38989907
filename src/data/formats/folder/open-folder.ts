import { availableParallelism } from "node:os";
import type { FolderConfig } from "../../../config/sections/data-settings.ts";
import { at, first, last } from "../../../core/elements.ts";
import type { Reporter } from "../../../core/progress.ts";
import type { ImageShape, Normalization } from "../../dataset.ts";
import type { OpenedData } from "../../opened-data.ts";
import type { TargetKind } from "../../targets.ts";
import type { Recipe } from "./decode-image.ts";
import { DecodePool } from "./decode-pool.ts";
import { FileContents } from "./file-contents.ts";
import { folderSource } from "./folder-source.ts";
import { knownImages, nameBelow } from "./known-images.ts";
import { maskValues } from "./mask-values.ts";

/** Threads that decode at a time in one process, unless UV_THREADPOOL_SIZE says otherwise. */
const decodingThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4;

/** ImageNet's statistics, usual for photographs; of gray ones, their means. */
const normalizations: Readonly<Record<1 | 3, Normalization>> = {
  3: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  1: { mean: [0.449], deviation: [0.226] },
};

interface OpenContext {
  readonly seed: number;
  readonly reporter: Reporter;
  readonly targets: TargetKind | null;
  /** Whether images that lie in no class folders will do. */
  readonly unlabelled: boolean;
}

/**
 * Opens a folder of images: lists them and starts the threads that will read them. Where nobody needs to know what they
 * show, they need not lie in class folders.
 *
 * @param startPool Gives what decodes images.
 * @throws UserError, UsageError as `knownImages` does.
 */
export function openFolder(
  options: FolderConfig,
  { seed, reporter, targets, unlabelled }: OpenContext,
  startPool: (recipe: Recipe, workers: number) => Pick<DecodePool, "decode" | "close"> = (...given) =>
    new DecodePool(...given),
): OpenedData {
  const { folder, channels, augmentation, onError, size } = options;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  const shape: ImageShape = [height, width, channels];
  const known = knownImages(options, { targets, unlabelled, shape });
  const { files, train, validation, test } = known;
  const { fit } = options.resize;
  const shorterSide =
    (options.resize.fit === "crop" ? options.resize.shorterSide : undefined) ??
    Math.round((Math.max(height, width) * 8) / 7);
  const recipe: Recipe = {
    ...{ shape, resize: { fit, shorterSide }, augmentation, seed },
    ...(options.masks && { masks: maskValues(options.masks) }),
  };
  const workers = options.workers ?? Math.min(availableParallelism(), decodingThreads);
  const parts = [train, ...(validation ? [validation] : []), test].map((part) => ({
    part,
    masks: known.masksOf(part),
    targets: known.targetsOf(part),
  }));
  const masks = parts.flatMap(({ masks }) => masks ?? []);
  const images = parts.flatMap(({ part: { paths, bytes } }) =>
    paths.map((path, index) => ({ path, bytes: at(bytes, index) })),
  );
  const contents = new FileContents(
    folder,
    [...images, ...masks].map(({ path, bytes }) => ({ name: nameBelow(folder, path), bytes })),
  );
  const pool = startPool(recipe, workers);
  const policy = { onError, damaged: new Set<string>(), reporter };
  let listed = 0;
  const sources = parts.map(({ part: { paths }, masks, targets }) => {
    const numbers = { image: listed, mask: images.length + listed };
    listed += paths.length;
    const served = { paths, targets, masks: masks?.map(({ path }) => path) ?? null, numbers };
    return folderSource(served, shape, { pool, policy, contents });
  });
  const classes = known.classesOf(train);
  return {
    imageShape: shape,
    targets: known.description,
    normalization: normalizations[channels],
    train: first(sources),
    validation: validation && at(sources, 1),
    test: last(sources),
    classes: classes && {
      train: classes,
      validation: validation && known.classesOf(validation),
      test: known.classesOf(test) ?? new Int32Array(),
    },
    files,
    images: contents,
    damaged: () => [...policy.damaged].sort(),
    close: () => pool.close(),
  };
}
