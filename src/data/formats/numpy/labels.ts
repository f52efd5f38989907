import { UsageError, UserError } from "../../../core/errors.ts";
import type { ImageSet } from "../../dataset.ts";
import { noTargets, type TargetDescription, type TargetKind, type Targets, voidPixel } from "../../targets.ts";
import { elementBytes, elementKind, type NpyHeader, readNumbers, shapeText } from "./npy.ts";
import type { NpyArray } from "./npz.ts";

/** Classes are indices: a larger label is none. */
const maxClasses = 65536;

/**
 * Bytes per label, where the array holds what is to be learned: integers of one class per image, or floats of one or
 * more values per image.
 *
 * @throws UserError that names `place`, what it holds, and the remedy.
 */
export function checkLabels({ type, shape }: NpyHeader, place: string, kind: TargetKind): number {
  const found = elementKind(type);
  const refuse = (expected: string): never => {
    throw new UserError(`cannot read ${place}: elements of type ${JSON.stringify(type)}, expected ${expected}`);
  };
  switch (kind) {
    case "classes":
      if (found === "floats")
        refuse(
          'integers, the classes; save it with array.astype("int64"), or learn its numbers with task.name regression',
        );
      if (found === null) refuse('integers; save it with array.astype("int64")');
      if (shape.length !== 1 && (shape.length !== 2 || shape[1] !== 1))
        throw new UserError(`cannot read ${place}: shape ${shapeText(shape)}, expected one label per image: (images,)`);
      break;
    case "values":
      if (found === "integers")
        refuse(
          'float32 or float64, the values; save it with array.astype("float32"), or learn classes with task.name classification',
        );
      if (found === null) refuse('float32 or float64; save it with array.astype("float32")');
      if (shape.length < 1 || shape.length > 2 || shape[1] === 0)
        throw new UserError(
          `cannot read ${place}: shape ${shapeText(shape)}, expected values of each image: (images,) or (images, values)`,
        );
      break;
    case "labels":
      if (found !== "integers")
        refuse('integers or booleans, 0 or 1 for each label; save it with array.astype("uint8")');
      if (shape.length !== 2 || shape[1] === 0)
        throw new UserError(
          `cannot read ${place}: shape ${shapeText(shape)}, expected a row of labels for each image: (images, labels)`,
        );
      break;
    case "masks":
      if (found !== "integers")
        refuse('integers, the class of each pixel, 255 where it does not count; save it with array.astype("uint8")');
      if (shape.length !== 3 && (shape.length !== 4 || shape[3] !== 1))
        throw new UserError(
          `cannot read ${place}: shape ${shapeText(shape)}, expected a mask for each image: (images, height, width)`,
        );
      break;
  }
  return elementBytes(type);
}

/** The labels as targets. @throws UserError at the first that is no class, or not finite in float32. */
export function labelValues({ bytes, type, shape, place }: NpyArray, kind: TargetKind): Targets {
  const numbers = readNumbers(bytes, type);
  switch (kind) {
    case "classes": {
      const wrong = numbers.findIndex((label) => !isClass(label));
      if (wrong < 0) return { kind, values: Int32Array.from(numbers) };
      throw new UserError(
        `cannot read ${place}: label ${numbers[wrong]} of image ${wrong}, expected 0 to ${maxClasses - 1}`,
      );
    }
    case "values": {
      const values = Float32Array.from(numbers);
      const wrong = values.findIndex((value) => !Number.isFinite(value));
      if (wrong < 0) return { kind, values };
      throw new UserError(
        `cannot read ${place}: ${numbers[wrong]} of image ${Math.floor(wrong / (shape[1] ?? 1))}, expected finite float32 numbers; leave such images out`,
      );
    }
    case "labels": {
      const wrong = numbers.findIndex((label) => label !== 0 && label !== 1);
      if (wrong < 0) return { kind, values: Uint8Array.from(numbers) };
      throw new UserError(
        `cannot read ${place}: ${numbers[wrong]} of image ${Math.floor(wrong / (shape[1] ?? 1))}, expected 0 or 1 for each label`,
      );
    }
    case "masks": {
      const wrong = numbers.findIndex((label) => label < 0 || label > voidPixel);
      if (wrong < 0) return { kind, values: Uint8Array.from(numbers) };
      const image = Math.floor(wrong / ((shape[1] ?? 1) * (shape[2] ?? 1)));
      throw new UserError(
        `cannot read ${place}: ${numbers[wrong]} of image ${image}, expected classes from 0 to 254, or 255`,
      );
    }
  }
}

/** Whether labels can be classes by their type and shape, where nobody needs them. */
export const mayBeClasses = ({ type, shape }: NpyHeader): boolean =>
  elementKind(type) === "integers" && (shape.length === 1 || (shape.length === 2 && shape[1] === 1));

/** Labels that nobody needs as classes, or as nothing where they are none. */
export function classesOrNone({ bytes, type }: NpyArray): Targets {
  const numbers = readNumbers(bytes, type);
  return numbers.every(isClass) ? { kind: "classes", values: Int32Array.from(numbers) } : noTargets;
}

const isClass = (label: number): boolean => label >= 0 && label < maxClasses;

/**
 * Masks as they are. But where none of them holds anything other than 0 and 255, 255 is the second class, as in masks that
 * are saved as black and white images: pixels that do not count would leave a single one.
 */
export function settledMasks(parts: readonly ImageSet[]): readonly ImageSet[] {
  const values = parts.flatMap(({ targets }) => (targets.kind === "masks" ? [targets.values] : []));
  const isBlackAndWhite =
    values.every((masks) => masks.every((label) => label === 0 || label === voidPixel)) &&
    values.some((masks) => masks.includes(voidPixel));
  if (!isBlackAndWhite) return parts;
  return parts.map((part) => ({
    ...part,
    targets: { kind: "masks", values: Uint8Array.from(part.targets.values, (label) => (label === voidPixel ? 1 : 0)) },
  }));
}

interface LabelledSets {
  readonly train: ImageSet;
  readonly test: ImageSet;
  readonly paths: { readonly train: string; readonly test: string };
  /** Names by class index; numbers when left out. */
  readonly classes: readonly string[] | undefined;
}

/**
 * What the labels of both parts are: classes with their names, or so many values.
 *
 * @param size Of the images.
 * @throws UserError when the two do not go together; UsageError when `classes` are fewer than there are, or there are
 * none.
 */
export function describeLabels(
  { train, test, paths, classes }: LabelledSets,
  size: readonly [height: number, width: number],
): TargetDescription {
  switch (train.targets.kind) {
    case "classes": {
      const count = largest(train.targets.values) + 1;
      if (classes !== undefined && classes.length < count) {
        throw new UsageError(
          `data.classes: ${classes.length} names, but the labels in ${paths.train} go up to ${count - 1}`,
        );
      }
      const names = classes ?? Array.from({ length: count }, (_, index) => String(index));
      const wrong = test.targets.values.findIndex((label) => label >= names.length);
      if (wrong < 0) return { kind: "classes", names };
      throw new UserError(
        `${paths.test}: label ${test.targets.values[wrong]} of image ${wrong}, but the classes go from 0 to ${names.length - 1}`,
      );
    }
    case "values": {
      if (classes !== undefined)
        throw new UsageError(`data.classes: expected nothing: the labels in ${paths.train} are values, no classes`);
      const [outputs, tested] = [train, test].map(({ targets, count }) => targets.values.length / count);
      if (outputs === tested) return { kind: "values", outputs: outputs! };
      throw new UserError(
        `${paths.test} has ${tested} values for each image, ${paths.train} ${outputs}: they are not of one data set`,
      );
    }
    case "labels": {
      const [count, tested] = [train, test].map(({ targets, count }) => targets.values.length / count);
      if (count !== tested)
        throw new UserError(
          `${paths.test} has ${tested} labels for each image, ${paths.train} ${count}: they are not of one data set`,
        );
      const names = classes ?? Array.from({ length: count ?? 0 }, (_, index) => String(index));
      if (names.length === count) return { kind: "labels", names };
      throw new UsageError(
        `data.classes: ${names.length} names, but ${paths.train} has ${count} labels for each image`,
      );
    }
    case "masks":
      return describeMasks({ train, test, paths, classes }, size);
    case "none":
      return { kind: "none", ...(classes && { names: classes }) };
  }
}

const largest = (labels: Int32Array): number => labels.reduce((most, label) => Math.max(most, label), 0);

function describeMasks(
  { train, test, paths, classes }: LabelledSets,
  size: readonly [height: number, width: number],
): TargetDescription {
  const most = ({ targets }: ImageSet) => {
    let most = 0;
    for (const label of targets.values) if (label !== voidPixel && label > most) most = label;
    return most;
  };
  const count = most(train) + 1;
  if (classes !== undefined && classes.length < count)
    throw new UsageError(
      `data.classes: ${classes.length} names, but the masks in ${paths.train} go up to ${count - 1}`,
    );
  const names = classes ?? Array.from({ length: Math.max(2, count) }, (_, index) => String(index));
  const tested = most(test);
  if (tested < names.length) return { kind: "masks", names, size };
  throw new UserError(`${paths.test}: a mask has class ${tested}, but the classes go from 0 to ${names.length - 1}`);
}
