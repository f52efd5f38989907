import { statSync } from "node:fs";
import { availableMemory } from "../../../core/available-memory.ts";
import { at } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { shortenNames } from "../../../core/shorten.ts";
import type { DataFile, ImageSet, LoadedData } from "../../dataset.ts";
import { noTargets, type TargetKind, type Targets } from "../../targets.ts";
import { requireProportion } from "../unpacked-size.ts";
import { checkLabels, classesOrNone, describeLabels, labelValues, mayBeClasses, settledMasks } from "./labels.ts";
import { type NpyHeader, shapeText } from "./npy.ts";
import { type NpyArray, NpzFile } from "./npz.ts";
import { isTokens, tokenBytes, tokenValues } from "./token-arrays.ts";
import { isValues, valueBytes, valueSamples } from "./value-arrays.ts";

export interface NpzOptions {
  /** Paths; both may name one file that holds both parts. */
  readonly train: string;
  readonly test: string;
  /** Names by class index; numbers when left out. */
  readonly classes?: readonly string[] | undefined;
}

/** Bytes that a label takes beside its image, once as the number that is checked, once as a target. */
const labelBytes = 16;

/** Names that an array of a part may have, as they are usual (`x_train` is Keras's, `train_images` MedMNIST's). */
const acceptedNames = {
  images: (part: string) => [`${part}_images`, `x_${part}`, "images", "x"],
  labels: (part: string) => [`${part}_labels`, `y_${part}`, "labels", "y"],
};

/**
 * Reads training and test images from NumPy's .npz files: images uint8 [n, height, width, channels], or [n, height,
 * width] of one channel, texts as integers [n, tokens], 0 being padding, or other samples as floats [n, …]; labels integers [n] or [n, 1] for classes, floats [n] or [n, outputs] for values.
 *
 * @param options.free Bytes of memory that the arrays may take.
 * @param options.unlabelled Whether images without labels will do.
 * @throws UserError that names file and array, or says that they do not fit into memory, or are out of proportion to the file;
 * UsageError when `classes` are fewer than the labels need, or the labels of another kind than `targets`, where that says
 * one.
 */
export async function loadNpz(
  { train, test, classes }: NpzOptions,
  targets: TargetKind | null,
  { free = availableMemory(), unlabelled = false }: { readonly free?: number; readonly unlabelled?: boolean } = {},
): Promise<LoadedData> {
  const kind = (targets === null || unlabelled) && !(await haveLabels({ train, test }, targets)) ? "none" : targets;
  const needed = (await bytesOf(train, "train", kind)) + (await bytesOf(test, "test", kind));
  const both = train === test ? train : `${train} and ${test}`;
  const stored = [...new Set([train, test])].reduce((sum, path) => sum + statSync(path).size, 0);
  requireProportion(both, { stored, unpacked: needed });
  if (needed > free) {
    throw new UserError(
      `cannot read ${both}: the arrays take ${gib(needed)} GiB, and ${gib(free)} GiB of memory are free: save fewer images, or use data.name folder, which reads them from files`,
    );
  }
  const [trained, tested] = ofOneKind([await readPart(train, "train", kind), await readPart(test, "test", kind)]);
  if (trained.samples !== tested.samples) {
    const what = `the training part has ${trained.samples}, the test part ${tested.samples}`;
    throw new UserError(`cannot read ${both}: ${what}: they are not of one data set`);
  }
  if (trained.shape.join() !== tested.shape.join()) {
    throw new UserError(
      `${test} has images of ${tested.shape.join(" x ")}, ${train} of ${trained.shape.join(" x ")}: they are not of one data set`,
    );
  }
  const vocabulary = Math.max(trained.vocabulary, tested.vocabulary);
  return {
    imageShape: trained.shape,
    targets: describeLabels({ train: trained.set, test: tested.set, paths: { train, test }, classes }, [
      trained.shape[0] ?? 0,
      trained.shape[1] ?? 0,
    ]),
    normalization: null,
    ...(vocabulary > 0 && { tokens: { vocabulary, tokenizer: null } }),
    ...(trained.samples === "values" && { values: true }),
    train: trained.set,
    test: tested.set,
    files: train === test ? [trained.file] : [trained.file, tested.file],
  };
}

interface Part {
  readonly set: ImageSet;
  readonly samples: "images" | "texts" | "values";
  /** [height, width, channels], or of texts [tokens]. */
  readonly shape: readonly number[];
  /** Of texts; 0 of others. */
  readonly vocabulary: number;
  readonly file: DataFile;
}

const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

/**
 * Bytes of memory that the arrays of a part take once they are unpacked, from their headers alone: a small file can hold many.
 *
 * @throws UserError when a header is refused, or images and labels differ in number.
 */
async function bytesOf(path: string, part: "train" | "test", kind: TargetKind | "none" | null): Promise<number> {
  const npz = await NpzFile.open(path);
  try {
    const imagesName = nameIn(npz, "images", part);
    const images = await npz.header(imagesName, checkSamples);
    // Values are held in float32 beside what was read.
    const held = isValues(images) ? 4 * images.shape.reduce((product, size) => product * size, 1) : 0;
    if (kind === "none") return images.bytes + held;
    const labelsName = nameIn(npz, "labels", part);
    const labels = await npz.header(labelsName, (header, place) => checkLabels(header, place, kind ?? "classes"));
    if (labels.shape[0] !== images.shape[0]) {
      throw new UserError(
        `${path}: ${labelsName} has ${labels.shape[0]} labels, ${path}: ${imagesName} has ${images.shape[0]} images: they do not belong together`,
      );
    }
    const [height, width] = images.shape.slice(1);
    if (kind === "masks" && (labels.shape[1] !== height || labels.shape[2] !== width)) {
      throw new UserError(
        `${path}: ${labelsName} has masks of ${labels.shape.slice(1, 3).join(" x ")}, ${path}: ${imagesName} has images of ${height} x ${width}: masks must be as large as their images`,
      );
    }
    return images.bytes + held + labels.bytes + labelBytes * labels.shape.reduce((product, size) => product * size, 1);
  } finally {
    npz.close();
  }
}

async function readPart(path: string, part: "train" | "test", kind: TargetKind | "none" | null): Promise<Part> {
  const npz = await NpzFile.open(path);
  try {
    const images = await npz.read(nameIn(npz, "images", part), checkSamples);
    const [count = 0, ...sizes] = images.shape;
    const read = samplesOf(images);
    return {
      ...{ samples: read.samples, vocabulary: read.vocabulary },
      set: { count, images: read.images, targets: await targetsIn(npz, part, kind) },
      // Gray images may have no channels.
      shape: read.samples === "images" && sizes.length === 2 ? [...sizes, 1] : sizes,
      file: await npz.describe(),
    };
  } finally {
    npz.close();
  }
}

/** Samples as they are held, by what their array's elements are. */
function samplesOf(array: NpyArray): Pick<Part, "samples" | "vocabulary"> & { readonly images: Uint8Array } {
  if (isTokens(array)) return { samples: "texts", ...tokenValues(array) };
  if (isValues(array)) return { samples: "values", images: valueSamples(array), vocabulary: 0 };
  return { samples: "images", images: array.bytes, vocabulary: 0 };
}

async function targetsIn(npz: NpzFile, part: "train" | "test", kind: TargetKind | "none" | null): Promise<Targets> {
  if (kind === "none") return noTargets;
  const labels = await npz.read(nameIn(npz, "labels", part), (header, place) =>
    checkLabels(header, place, kind ?? "classes"),
  );
  return kind === null ? classesOrNone(labels) : labelValues(labels, kind);
}

/** Both as their labels are read together. */
function ofOneKind([train, test]: readonly [Part, Part]): readonly [Part, Part] {
  const isBare = [train, test].some(({ set }) => set.targets.kind === "none");
  const sets = isBare
    ? [train, test].map(({ set }) => ({ ...set, targets: noTargets }))
    : settledMasks([train.set, test.set]);
  return [
    { ...train, set: at(sets, 0) },
    { ...test, set: at(sets, 1) },
  ];
}

/** Whether both parts have an array of labels; where nobody needs them, one of classes. */
async function haveLabels(
  paths: { readonly train: string; readonly test: string },
  targets: TargetKind | null,
): Promise<boolean> {
  for (const part of ["train", "test"] as const) {
    const npz = await NpzFile.open(paths[part]);
    try {
      const name = foundIn(npz, "labels", part);
      if (name === undefined) return false;
      if (targets === null && !mayBeClasses(await npz.declared(name))) return false;
    } finally {
      npz.close();
    }
  }
  return true;
}

const foundIn = ({ names }: NpzFile, what: keyof typeof acceptedNames, part: string): string | undefined =>
  acceptedNames[what](part).find((name) => names.includes(name));

function nameIn(npz: NpzFile, what: keyof typeof acceptedNames, part: string): string {
  const found = foundIn(npz, what, part);
  if (found !== undefined) return found;
  const { path, names } = npz;
  const accepted = acceptedNames[what](part);
  const remedy =
    what === "labels" ? "; without labels, a network learns from a teacher alone (training.loss: distill)" : "";
  throw new UserError(
    `cannot read ${path}: it has no ${part} ${what}: expected an array named ${accepted.join(", ")}; it holds ${shortenNames(names)}${remedy}`,
  );
}

const checkSamples = (header: NpyHeader, place: string): number =>
  isTokens(header) ? tokenBytes(header) : isValues(header) ? valueBytes(header, place) : checkImages(header, place);

function checkImages({ type, shape }: NpyHeader, place: string): number {
  if (type !== "|u1") {
    throw new UserError(
      `cannot read ${place}: elements of type ${JSON.stringify(type)}, expected "|u1" of pixels, or floats of 4 or 8 bytes of other samples; save pixels from 0 to 255 with array.astype("uint8"), what is measured with array.astype("float32")`,
    );
  }
  const channels = shape.length === 3 ? 1 : shape[3];
  if (shape.length < 3 || shape.length > 4 || shape.includes(0) || (channels !== 1 && channels !== 3)) {
    const hint = shape.length === 4 && (shape[1] === 1 || shape[1] === 3) ? "; use array.transpose(0, 2, 3, 1)" : "";
    throw new UserError(
      `cannot read ${place}: shape ${shapeText(shape)}, expected (images, height, width) or (images, height, width, channels) with 1 or 3 channels${hint}`,
    );
  }
  return 1;
}
