import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../../core/errors.ts";
import type { DataFile, ImageSet } from "../dataset.ts";
import { sha256Of } from "../download/cached-files.ts";
import { type CifarLayout, cifarShape, readCifarRecords, recordBytes } from "./cifar-binary.ts";

/** The published form of CIFAR-10 or CIFAR-100: which files, and how their records are laid out. */
export interface CifarFiles {
  readonly layout: CifarLayout;
  /** Folder inside the published archive: its parent is accepted as well. */
  readonly archiveFolder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Images per file of each part. */
  readonly imagesPerFile: { readonly train: number; readonly test: number };
}

export interface CifarSplits {
  readonly imageShape: readonly [number, number, number];
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly files: readonly DataFile[];
}

/**
 * Reads the binary form from a folder.
 *
 * @throws UserError that names what is missing, cut off, too long, or labelled with no class of the data set.
 */
export function readCifarFolder(folder: string, files: CifarFiles): CifarSplits {
  const place = findFolder(folder, files);
  const train = readPart(place, files.train, files.layout, files.imagesPerFile.train);
  const test = readPart(place, files.test, files.layout, files.imagesPerFile.test);
  return { imageShape: cifarShape, train: train.set, test: test.set, files: [...train.files, ...test.files] };
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** The folder itself, or the archive's inside it. */
function findFolder(folder: string, { archiveFolder, train, test }: CifarFiles): string {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (!found?.isDirectory()) {
      throw new UserError(
        `cannot read data.folder ${folder}: ${found ? "it is not a folder" : "there is no such folder"}`,
      );
    }
    const names = [...train, ...test];
    const inside = join(folder, archiveFolder);
    const place = names.some((name) => isFile(join(inside, name))) ? inside : folder;
    const missing = names.filter((name) => !isFile(join(place, name)));
    if (missing.length > 0) {
      throw new UserError(
        `cannot read data.folder ${folder}: it lacks ${missing.join(", ")} (the binary form, unpacked; ${archiveFolder} may lie in it)`,
      );
    }
    return place;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read data.folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

function readPart(
  folder: string,
  names: readonly string[],
  layout: CifarLayout,
  imagesPerFile: number,
): { readonly set: ImageSet; readonly files: readonly DataFile[] } {
  const count = names.length * imagesPerFile;
  const pixels = cifarShape.reduce((product, size) => product * size, 1);
  const set = { images: new Uint8Array(count * pixels), labels: new Int32Array(count) };
  const files = names.map((name, index) => {
    const place = join(folder, name);
    const bytes = readWhole(place, imagesPerFile * recordBytes(layout));
    readCifarRecords(bytes, layout, set, index * imagesPerFile, place);
    return { name, bytes: bytes.length, sha256: sha256Of(bytes) };
  });
  return { set: { count, images: set.images, targets: { kind: "classes", values: set.labels } }, files };
}

/** @throws UserError when the file has another length: it is not read then. */
function readWhole(place: string, expected: number): Uint8Array {
  try {
    const { size } = statSync(place);
    if (size !== expected) {
      const what = size < expected ? `truncated at offset ${size}` : `trailing bytes at offset ${expected}`;
      throw new UserError(
        `cannot read ${place}: ${what}: expected ${expected} bytes, has ${size}; copy or download the file again`,
      );
    }
    return readFileSync(place);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  }
}
