import { UsageError, UserError } from "../../../core/errors.ts";
import type { DataFile, ImageSet, ImageShape, LoadedData } from "../../dataset.ts";
import { integerBytes, type NpyHeader, readIntegers } from "./npy.ts";
import { NpzFile } from "./npz.ts";

export interface NpzOptions {
  /** Paths; both may name one file that holds both parts. */
  readonly train: string;
  readonly test: string;
  /** Names by class index; numbers when left out. */
  readonly classes?: readonly string[] | undefined;
}

/** Labels are indices: a larger one is none. */
const maxClasses = 65536;

/** Names that an array of a part may have, as they are usual (`x_train` is Keras's, `train_images` MedMNIST's). */
const acceptedNames = {
  images: (part: string) => [`${part}_images`, `x_${part}`, "images", "x"],
  labels: (part: string) => [`${part}_labels`, `y_${part}`, "labels", "y"],
};

/**
 * Reads training and test images from NumPy's .npz files: images uint8 [n, height, width, channels], or [n, height,
 * width] of one channel; labels integers [n] or [n, 1].
 *
 * @throws UserError that names file and array; UsageError when `classes` are fewer than the labels need.
 */
export async function loadNpz({ train, test, classes }: NpzOptions): Promise<LoadedData> {
  const [trained, tested] = [await readPart(train, "train"), await readPart(test, "test")];
  if (trained.shape.join() !== tested.shape.join()) {
    throw new UserError(
      `${test} has images of ${tested.shape.join(" x ")}, ${train} of ${trained.shape.join(" x ")}: they are not of one data set`,
    );
  }
  const count = largest(trained.set.labels) + 1;
  if (classes !== undefined && classes.length < count) {
    throw new UsageError(`data.classes: ${classes.length} names, but the labels in ${train} go up to ${count - 1}`);
  }
  const names = classes ?? Array.from({ length: count }, (_, index) => String(index));
  const wrong = tested.set.labels.findIndex((label) => label >= names.length);
  if (wrong >= 0) {
    throw new UserError(
      `${test}: label ${tested.set.labels[wrong]} of image ${wrong}, but the classes go from 0 to ${names.length - 1}`,
    );
  }
  return {
    imageShape: trained.shape,
    classes: names,
    normalization: null,
    train: trained.set,
    test: tested.set,
    files: train === test ? [trained.file] : [trained.file, tested.file],
  };
}

const largest = (labels: Int32Array): number => labels.reduce((most, label) => Math.max(most, label), 0);

interface Part {
  readonly set: ImageSet;
  readonly shape: ImageShape;
  readonly file: DataFile;
}

async function readPart(path: string, part: "train" | "test"): Promise<Part> {
  const npz = await NpzFile.open(path);
  try {
    const images = await npz.read(nameIn(npz, "images", part), (header, place) => checkImages(header, place));
    const labels = await npz.read(nameIn(npz, "labels", part), (header, place) => checkLabels(header, place));
    const [count, height, width, channels = 1] = images.shape as [number, number, number, number?];
    if (labels.shape[0] !== count) {
      throw new UserError(
        `${labels.place} has ${labels.shape[0]} labels, ${images.place} has ${count} images: they do not belong together`,
      );
    }
    const values = readIntegers(labels.bytes, labels.type);
    const wrong = values.findIndex((label) => label < 0 || label >= maxClasses);
    if (wrong >= 0) {
      throw new UserError(
        `cannot read ${labels.place}: label ${values[wrong]} of image ${wrong}, expected 0 to ${maxClasses - 1}`,
      );
    }
    return {
      set: { count, images: images.bytes, labels: Int32Array.from(values) },
      shape: [height, width, channels],
      file: await npz.describe(),
    };
  } finally {
    npz.close();
  }
}

function nameIn({ path, names }: NpzFile, what: keyof typeof acceptedNames, part: string): string {
  const accepted = acceptedNames[what](part);
  const found = accepted.find((name) => names.includes(name));
  if (found !== undefined) return found;
  throw new UserError(
    `cannot read ${path}: it has no ${part} ${what}: expected an array named ${accepted.join(", ")}; it holds ${names.join(", ") || "none"}`,
  );
}

function checkImages({ type, shape }: NpyHeader, place: string): number {
  if (type !== "|u1") {
    throw new UserError(
      `cannot read ${place}: elements of type ${JSON.stringify(type)}, expected "|u1"; save pixels from 0 to 255 with array.astype("uint8")`,
    );
  }
  const channels = shape.length === 3 ? 1 : shape[3];
  if (shape.length < 3 || shape.length > 4 || shape.includes(0) || (channels !== 1 && channels !== 3)) {
    const hint = shape.length === 4 && (shape[1] === 1 || shape[1] === 3) ? "; use array.transpose(0, 2, 3, 1)" : "";
    throw new UserError(
      `cannot read ${place}: shape ${text(shape)}, expected (images, height, width) or (images, height, width, channels) with 1 or 3 channels${hint}`,
    );
  }
  return 1;
}

function checkLabels({ type, shape }: NpyHeader, place: string): number {
  if (shape.length === 1 || (shape.length === 2 && shape[1] === 1)) return integerBytes(type, place);
  throw new UserError(`cannot read ${place}: shape ${text(shape)}, expected one label per image: (images,)`);
}

const text = (shape: readonly number[]): string => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
