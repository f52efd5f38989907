import { availableParallelism } from "node:os";
import { relative, sep } from "node:path";
import type { FolderConfig } from "../../../config/sections/data-settings.ts";
import { at } from "../../../core/elements.ts";
import type { Reporter } from "../../../core/progress.ts";
import type { ImageShape, Normalization } from "../../dataset.ts";
import type { OpenedData } from "../../opened-data.ts";
import type { TargetKind } from "../../targets.ts";
import type { Recipe } from "./decode-image.ts";
import { DecodePool } from "./decode-pool.ts";
import { FileContents } from "./file-contents.ts";
import { folderSource } from "./folder-source.ts";
import { scanFolder } from "./scan-folder.ts";
import { scanImages } from "./scan-images.ts";
import { scanPlain } from "./scan-plain.ts";

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
 * @throws UserError, UsageError as `scanFolder` does.
 */
export function openFolder(options: FolderConfig, { seed, reporter, targets, unlabelled }: OpenContext): OpenedData {
  const { folder, channels, augmentation, onError, size } = options;
  const { classes, files, train, validation, test } =
    (unlabelled ? scanPlain(folder, options.testShare) : null) ??
    (targets === null ? scanImages : scanFolder)(folder, options.testShare);
  const labelled = classes.length > 0;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  const shape: ImageShape = [height, width, channels];
  const { fit } = options.resize;
  const shorterSide =
    (options.resize.fit === "crop" ? options.resize.shorterSide : undefined) ??
    Math.round((Math.max(height, width) * 8) / 7);
  const recipe: Recipe = { shape, resize: { fit, shorterSide }, augmentation, seed };
  const workers = options.workers ?? Math.min(availableParallelism(), decodingThreads);
  const pool = new DecodePool(recipe, workers);
  const policy = { onError, damaged: new Set<string>(), reporter };
  const parts = [train, ...(validation ? [validation] : []), test];
  const contents = new FileContents(
    folder,
    parts.flatMap(({ paths, bytes }) =>
      paths.map((path, index) => ({ name: relative(folder, path).replaceAll(sep, "/"), bytes: at(bytes, index) })),
    ),
  );
  let listed = 0;
  const sourceOf = (images: typeof train) => {
    const source = folderSource(images, shape, listed, { pool, policy, contents, labelled });
    listed += images.paths.length;
    return source;
  };
  return {
    imageShape: shape,
    targets: labelled ? { kind: "classes", names: classes } : { kind: "none" },
    normalization: normalizations[channels],
    train: sourceOf(train),
    validation: validation && sourceOf(validation),
    test: sourceOf(test),
    classes: labelled ? { train: train.labels, validation: validation?.labels ?? null, test: test.labels } : null,
    files,
    images: contents,
    damaged: () => [...policy.damaged].sort(),
    close: () => pool.close(),
  };
}
