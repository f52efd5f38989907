import { statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import type { FolderConfig } from "../../../config/sections/data-settings.ts";
import { UsageError, UserError } from "../../../core/errors.ts";
import { shortenList } from "../../../core/shorten.ts";
import type { ImageShape } from "../../dataset.ts";
import { noTargets, type TargetDescription, type TargetKind, type Targets } from "../../targets.ts";
import { readLabelTable } from "./label-table.ts";
import { type FoundImage, type ImageFiles, listOf, type ScannedFolder, scanFolder } from "./scan-folder.ts";
import { scanImages } from "./scan-images.ts";
import { scanPlain, scanWhole } from "./scan-plain.ts";

/** The images of a folder, and what is said of them: by class folders, a table, masks, or nothing. */
export interface KnownFolder extends ScannedFolder {
  readonly description: TargetDescription;
  /** Of the images of a part, where masks do not say it. */
  targetsOf(part: ImageFiles): Targets;
  /** Null: they have none. */
  masksOf(part: ImageFiles): readonly FoundImage[] | null;
  /** Class indices of the images of a part; null: they have none. */
  classesOf(part: ImageFiles): Int32Array | null;
}

/** What a task asks of images. */
interface Asked {
  readonly targets: TargetKind | null;
  /** Whether images that nothing is said of will do. */
  readonly unlabelled: boolean;
  readonly shape: ImageShape;
}

/**
 * Finds a folder's images and what is said of them.
 *
 * @throws UserError as `scanFolder` and `readLabelTable` do, or that names masks that are not there; UsageError where what
 * a task needs is not said.
 */
export function knownImages(options: FolderConfig, { targets, unlabelled, shape }: Asked): KnownFolder {
  const { folder, testShare, masks, labels } = options;
  if (targets === "masks" && masks !== undefined) return masked(options, { ...masks, shape });
  if (targets !== null && targets !== "masks" && labels !== undefined)
    return tabled(scanWhole(folder, testShare), readLabelTable(labels, targets), folder);
  if (targets !== null && targets !== "classes") {
    if (unlabelled) return bare(scanWhole(folder, testShare));
    throw new UsageError(
      targets === "masks"
        ? "data.masks: expected the folder of the masks that task.name segmentation learns"
        : `data.labels: expected the table of the ${targets} that the task learns, as labels: { file: labels.csv }`,
    );
  }
  if (targets === "classes" && masks !== undefined)
    throw new UsageError(
      "data.masks: expected nothing: the task learns classes of images; for those of pixels take task.name segmentation",
    );
  const plain = unlabelled ? scanPlain(folder, testShare) : null;
  const scanned = plain ?? (targets === null ? scanImages : scanFolder)(folder, testShare);
  return scanned.classes.length > 0 ? inClassFolders(scanned) : bare(scanned);
}

const nothing = { masksOf: () => null, classesOf: () => null };

const bare = (scanned: ScannedFolder): KnownFolder => ({
  ...scanned,
  ...nothing,
  description: { kind: "none" },
  targetsOf: () => noTargets,
});

const inClassFolders = (scanned: ScannedFolder): KnownFolder => ({
  ...scanned,
  ...nothing,
  description: { kind: "classes", names: scanned.classes },
  targetsOf: ({ labels }) => ({ kind: "classes", values: labels }),
  classesOf: ({ labels }) => labels,
});

function tabled(scanned: ScannedFolder, table: ReturnType<typeof readLabelTable>, folder: string): KnownFolder {
  const targetsOf = ({ paths }: ImageFiles) => table.of(paths.map((path) => nameBelow(folder, path)));
  return {
    ...scanned,
    ...nothing,
    files: [...scanned.files, table.file],
    description: table.description,
    targetsOf,
    classesOf(part) {
      const targets = targetsOf(part);
      return targets.kind === "classes" ? targets.values : null;
    },
  };
}

function masked(
  { folder, testShare }: FolderConfig,
  { folder: maskFolder, classes, shape }: NonNullable<FolderConfig["masks"]> & Pick<Asked, "shape">,
): KnownFolder {
  const scanned = scanWhole(folder, testShare);
  const masksOf = ({ paths }: ImageFiles) =>
    findMasks(
      paths.map((path) => nameBelow(folder, path)),
      maskFolder,
    );
  const parts = Object.entries({ train: scanned.train, validation: scanned.validation, test: scanned.test });
  const lists = parts.flatMap(([name, part]) =>
    part ? [listOf(`masks of ${name}`, maskFolder, [masksOf(part)])] : [],
  );
  return {
    ...scanned,
    ...nothing,
    files: [...scanned.files, ...lists],
    description: { kind: "masks", names: classes, size: [shape[0], shape[1]] },
    targetsOf: () => noTargets,
    masksOf,
  };
}

/** @throws UserError that names those that are not there. */
function findMasks(images: readonly string[], maskFolder: string): readonly FoundImage[] {
  const found = images.map((name) => {
    const path = join(maskFolder, `${name.slice(0, name.length - extname(name).length)}.png`);
    return { path, bytes: statSync(path, { throwIfNoEntry: false })?.size ?? null };
  });
  const missing = found.filter(({ bytes }) => bytes === null);
  if (missing.length > 0) {
    const list = shortenList(missing.map(({ path }) => `  ${path}`)).join("\n");
    throw new UserError(
      `data.masks.folder: ${missing.length} of ${images.length} images have no mask:\n${list}\nput them there, named as their images, or take the images away`,
    );
  }
  return found.map(({ path, bytes }) => ({ path, bytes: bytes ?? 0 }));
}

/** With /. */
export const nameBelow = (folder: string, path: string): string => relative(folder, path).replaceAll(sep, "/");
