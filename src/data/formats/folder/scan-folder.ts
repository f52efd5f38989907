import { createHash } from "node:crypto";
import { readdirSync, realpathSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { messageOf, UsageError, UserError } from "../../../core/errors.ts";
import { permutation } from "../../../core/random.ts";
import type { DataFile } from "../../dataset.ts";

/** Image files of one part of a folder: first the first image of every class, then the second of every class … */
export interface ImageFiles {
  readonly paths: readonly string[];
  /** Length of each file. */
  readonly bytes: Float64Array;
  /** One class index per path. */
  readonly labels: Int32Array;
}

export interface ScannedFolder {
  /** Names of the class folders, sorted; a class's index is its place here. None where images lie in no class folders. */
  readonly classes: readonly string[];
  readonly train: ImageFiles;
  /** Where there is a folder for it beside the one for tests. */
  readonly validation: ImageFiles | null;
  readonly test: ImageFiles;
  /** One entry per part: the bytes of all its images, and the SHA-256 of the list of their paths and lengths. */
  readonly files: readonly DataFile[];
}

export interface FoundImage {
  readonly path: string;
  readonly bytes: number;
}

/** Images by class index. */
type ByClass = readonly (readonly FoundImage[])[];

const extensions = new Set([".jpg", ".jpeg", ".png"]);
export const trainName = "train";
const validationNames = ["val", "validation", "valid"];

/**
 * Finds the images of a folder in one of two layouts: `train` and `val`, `validation` or `test` with one folder per
 * class in each (ImageNet's), or the class folders directly, of which `testShare` is set aside for tests, the same
 * images whatever the seed. Where `val` and `test` are both there, the first is for validation.
 *
 * @throws UserError that names what is missing: the folder, a part, class folders, images of a class; UsageError when
 * `testShare` does not fit the layout.
 */
export function scanFolder(folder: string, testShare: number | undefined): ScannedFolder {
  const parts = subfolders(folder, `data.folder ${folder}`);
  if (!parts.includes(trainName)) return scanOneTree(folder, parts, testShare);
  if (testShare !== undefined) {
    throw new UsageError(`data.testShare: ${folder} has a folder for tests already; leave testShare away`);
  }
  const { held, tested } = partsOf(folder, parts);
  const classes = classesOf(join(folder, trainName));
  const scan = (part: string) => scanPart(join(folder, part), classes);
  const train = scan(trainName);
  refuseEmpty(train, classes, join(folder, trainName));
  const test = scan(tested);
  const validation = held === null ? null : scan(held);
  return {
    classes,
    train: interleave(train),
    validation: validation && interleave(validation),
    test: interleave(test),
    files: [
      listOf(trainName, folder, train),
      ...(held !== null && validation ? [listOf(held, folder, validation)] : []),
      listOf(tested, folder, test),
    ],
  };
}

/**
 * The folders beside that of training images: for tests, and for validation where it is another one.
 *
 * @throws UserError when there is none for tests.
 */
export function partsOf(
  folder: string,
  parts: readonly string[],
): { readonly tested: string; readonly held: string | null } {
  const held = validationNames.find((name) => parts.includes(name));
  const tested = parts.includes("test") ? "test" : held;
  if (tested === undefined) {
    throw new UserError(`cannot read data.folder ${folder}: beside train it has neither val, validation nor test`);
  }
  return { tested, held: held === undefined || held === tested ? null : held };
}

/** Class folders directly: each class gives its share to the test set. */
function scanOneTree(folder: string, classes: readonly string[], testShare: number | undefined): ScannedFolder {
  refuseFew(classes, folder);
  if (testShare === undefined) {
    throw new UsageError(
      `data.testShare: ${folder} has no folders train and val: say which share of the images is for tests, as testShare: 0.2`,
    );
  }
  const images = scanPart(folder, classes);
  refuseEmpty(images, classes, folder);
  const parts = images.map((ofClass, index) => {
    const part = setAside(ofClass, { share: testShare, stream: `test-share/${classes[index]}` });
    if (part.train.length > 0) return part;
    throw new UserError(
      `data.testShare: ${join(folder, classes[index]!)} has ${ofClass.length} images: too few to train and to test on`,
    );
  });
  const train = parts.map((part) => part.train);
  const test = parts.map((part) => part.test);
  return {
    classes,
    train: interleave(train),
    validation: null,
    test: interleave(test),
    files: [listOf("train", folder, train), listOf("test", folder, test)],
  };
}

/** Sets a share of images, or texts, aside for tests, at least one: the same whatever the seed. */
export function setAside<Sample>(
  images: readonly Sample[],
  { share, stream }: { readonly share: number; readonly stream: string },
): { readonly train: readonly Sample[]; readonly test: readonly Sample[] } {
  const cut = Math.max(0, images.length - Math.max(1, Math.round(images.length * share)));
  const order = permutation({ seed: 0, stream, counter: 0 }, images.length);
  const pick = (from: number, to: number) => Array.from(order.slice(from, to).sort(), (at) => images[at]!);
  return { train: pick(0, cut), test: pick(cut, images.length) };
}

function classesOf(folder: string): readonly string[] {
  const classes = subfolders(folder, folder);
  refuseFew(classes, folder);
  return classes;
}

function refuseFew(classes: readonly string[], folder: string): void {
  if (classes.length >= 2) return;
  const found = classes.length === 0 ? "no" : "only one";
  const remedy =
    classes.length === 0
      ? "; images without classes are for a network that learns from a teacher (training.loss: distill)"
      : "";
  throw new UserError(`cannot read ${folder}: ${found} class folder in it, expected one per class${remedy}`);
}

function refuseEmpty(images: ByClass, classes: readonly string[], folder: string): void {
  const empty = classes.filter((_, index) => images[index]!.length === 0);
  if (empty.length === 0) return;
  throw new UserError(`cannot read ${folder}: no JPEG or PNG image in class folder ${empty.join(", ")}`);
}

/** @throws UserError when a folder is there that is no class of the training part, or there is no image at all. */
function scanPart(folder: string, classes: readonly string[]): ByClass {
  const unknown = subfolders(folder, folder).filter((name) => !classes.includes(name));
  if (unknown.length > 0) {
    throw new UserError(`cannot read ${folder}: its class folder ${unknown.join(", ")} is not in the training part`);
  }
  const images = classes.map((name) => imagesIn(join(folder, name)));
  if (images.some((ofClass) => ofClass.length > 0)) return images;
  throw new UserError(`cannot read ${folder}: no class folder with a JPEG or PNG image in it`);
}

/** Names of the folders in a folder, sorted by code units; hidden ones are none. */
export function subfolders(folder: string, what: string): readonly string[] {
  try {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (!found?.isDirectory()) {
      throw new UserError(`cannot read ${what}: ${found ? "it is not a folder" : "there is no such folder"}`);
    }
    return visible(folder).filter((name) => statSync(join(folder, name)).isDirectory());
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${what}: ${messageOf(error)}`, { cause: error });
  }
}

const visible = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort();

/**
 * Images below a class folder, at any depth.
 *
 * @param above Real paths of the folders that it lies in: links that lead back to one would be followed for ever.
 */
export function imagesIn(folder: string, above: readonly string[] = []): FoundImage[] {
  try {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
    const real = realpathSync(folder);
    if (above.includes(real)) throw new Error("this link leads back to a folder that it lies in; remove it");
    return visible(folder).flatMap((name) => {
      const path = join(folder, name);
      const isImage = extensions.has(extname(name).toLowerCase());
      // A link to nothing counts as an image: reading it will say so.
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory()) return imagesIn(path, [...above, real]);
      // Reading a pipe would wait for a writer.
      if (found !== undefined && !found.isFile()) return [];
      return isImage ? [{ path, bytes: found?.size ?? 0 }] : [];
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** One image of every class in turn, so that the first images of a part are of all classes. */
export function interleave(images: ByClass): ImageFiles {
  const paths: string[] = [];
  const bytes: number[] = [];
  const labels: number[] = [];
  const longest = images.reduce((most, ofClass) => Math.max(most, ofClass.length), 0);
  for (let turn = 0; turn < longest; turn++) {
    for (const [label, ofClass] of images.entries()) {
      const image = ofClass[turn];
      if (image === undefined) continue;
      paths.push(image.path);
      bytes.push(image.bytes);
      labels.push(label);
    }
  }
  return { paths, bytes: Float64Array.from(bytes), labels: Int32Array.from(labels) };
}

export function listOf(part: string, folder: string, images: ByClass): DataFile {
  const hash = createHash("sha256");
  // Of the folder and its separator as paths have them, however it is spelled: ./pictures is pictures there, and . nothing.
  const above = join(folder, "x").length - 1;
  let total = 0;
  for (const { path, bytes } of images.flat()) {
    hash.update(`/${path.slice(above).replaceAll("\\", "/")} ${bytes}\n`);
    total += bytes;
  }
  return { name: `${part} (list of ${images.flat().length} images)`, bytes: total, sha256: hash.digest("hex") };
}
