import { type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { first } from "../../core/elements.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { tuple } from "../../core/tuple.ts";
import type { DataFile, ImageSet } from "../dataset.ts";
import { classIndices } from "./idx.ts";
import { type IdxFile, readIdxFile } from "./idx-file.ts";

/** The four files of a data set in MNIST's layout. */
export const idxRoles = ["train-images", "train-labels", "t10k-images", "t10k-labels"] as const;
export type IdxRole = (typeof idxRoles)[number];
export type IdxPaths = Readonly<Record<IdxRole, string>>;

/** The file's name as it was first published; others write `.idx3`, or leave it gzipped. */
export const idxName = (role: IdxRole): string => `${role}-${role.endsWith("images") ? "idx3" : "idx1"}-ubyte`;

const acceptedNames = (role: IdxRole): readonly string[] => {
  const dashed = idxName(role);
  const dotted = dashed.replace("-idx", ".idx");
  return [dashed, dotted, `${dashed}.gz`, `${dotted}.gz`];
};

/**
 * Finds the four files in a user's folder.
 *
 * @throws UserError when the folder or some of the files are missing; it names all of them and the names that count.
 */
export function findIdxFiles(folder: string): IdxPaths {
  const found = statOf(folder);
  if (!found?.isDirectory()) {
    throw new UserError(
      `cannot read data.folder ${folder}: ${found ? "it is not a folder" : "there is no such folder"}`,
    );
  }
  const isFile = (name: string) => statOf(join(folder, name))?.isFile() === true;
  const names = idxRoles.map((role) => ({ role, name: acceptedNames(role).find(isFile) }));
  const missing = names.filter(({ name }) => name === undefined);
  if (missing.length > 0) {
    const list = missing.map(({ role }) => idxName(role)).join(", ");
    throw new UserError(
      `cannot read data.folder ${folder}: it lacks ${list} (".idx" instead of "-idx" and a further ".gz" are accepted)`,
    );
  }
  // One for each role.
  return Object.fromEntries(names.map(({ role, name }) => [role, join(folder, name!)])) as Record<IdxRole, string>;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UserError(`cannot read data.folder: ${messageOf(error)}`, { cause: error });
  }
}

export interface IdxSplits {
  /** [height, width, 1]. */
  readonly imageShape: readonly [number, number, number];
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly files: readonly DataFile[];
}

/**
 * Reads the four files, one after another.
 *
 * @throws UserError when a file is damaged, when images and labels differ in number, or when the images of the two
 * splits differ in size.
 */
export async function readIdxSplits(paths: IdxPaths, classes: number): Promise<IdxSplits> {
  const train = await readSplit(paths["train-images"], paths["train-labels"], classes);
  const test = await readSplit(paths["t10k-images"], paths["t10k-labels"], classes);
  if (train.imageShape.join() !== test.imageShape.join()) {
    throw new UserError(
      `${paths["t10k-images"]} has images of ${test.imageShape.join(" x ")} at offset 8, ${paths["train-images"]} of ${train.imageShape.join(" x ")}: they are not of one data set`,
    );
  }
  return {
    imageShape: train.imageShape,
    train: train.set,
    test: test.set,
    files: [...train.files, ...test.files].map(({ file }) => file),
  };
}

interface Split {
  readonly set: ImageSet;
  readonly imageShape: readonly [number, number, number];
  readonly files: readonly IdxFile[];
}

async function readSplit(imagesPath: string, labelsPath: string, classes: number): Promise<Split> {
  const images = await readIdxFile(imagesPath, "images");
  const labels = await readIdxFile(labelsPath, "labels");
  const [count, height, width] = tuple(images.shape, 3);
  const labelled = first(labels.shape);
  if (labelled !== count) {
    throw new UserError(
      `${labelsPath} has ${labelled} labels at offset 4, ${imagesPath} has ${count} images at offset 4: they do not belong together`,
    );
  }
  return {
    set: {
      count,
      images: images.values,
      targets: { kind: "classes", values: classIndices(labels, classes, labelsPath) },
    },
    imageShape: [height, width, 1],
    files: [images, labels],
  };
}
