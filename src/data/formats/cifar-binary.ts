import { UserError } from "../../core/errors.ts";

/** Height and width of the images of CIFAR-10 and CIFAR-100. */
export const cifarSide = 32;
const channels = 3;
const area = cifarSide * cifarSide;

/** [height, width, channels]. */
export const cifarShape = [cifarSide, cifarSide, channels] as const;

/** How the records of a CIFAR file in binary form are laid out: labels, then 1024 red, 1024 green, 1024 blue bytes. */
export interface CifarLayout {
  /** Classes by label byte, in the file's order; the last is the label that is learned. */
  readonly labelClasses: readonly number[];
}

/** CIFAR-10: one label of 10 classes. */
export const cifar10Layout: CifarLayout = { labelClasses: [10] };
/** CIFAR-100: its superclass (20), then its class (100). */
export const cifar100Layout: CifarLayout = { labelClasses: [20, 100] };

export const recordBytes = ({ labelClasses }: CifarLayout): number => labelClasses.length + channels * area;

/** Where images [count, height, width, channels] and their classes [count] are written. */
export interface CifarArrays {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/**
 * Reads a CIFAR file in binary form into `set`, from image `at` on, pixels reordered to [height, width, channels].
 *
 * @throws UserError that names `place` and the offset of a label that is no class of the data set.
 */
export function readCifarRecords(
  bytes: Uint8Array,
  layout: CifarLayout,
  set: CifarArrays,
  at: number,
  place: string,
): void {
  const record = recordBytes(layout);
  const labels = layout.labelClasses.length;
  for (let image = 0; image * record < bytes.length; image++) {
    const start = image * record;
    layout.labelClasses.forEach((classes, index) => {
      const label = bytes[start + index]!;
      if (label < classes) return;
      throw new UserError(
        `cannot read ${place}: label ${label} of image ${image} at offset ${start + index}, expected 0 to ${classes - 1}; copy or download the file again`,
      );
    });
    set.labels[at + image] = bytes[start + labels - 1]!;
    const red = start + labels;
    let to = (at + image) * channels * area;
    for (let pixel = 0; pixel < area; pixel++) {
      set.images[to++] = bytes[red + pixel]!;
      set.images[to++] = bytes[red + area + pixel]!;
      set.images[to++] = bytes[red + 2 * area + pixel]!;
    }
  }
}

/** The bytes of a CIFAR-10 file in binary form, of `images` [n, 32, 32, 3] and one label per image. */
export function cifar10Bytes(images: Uint8Array, labels: ArrayLike<number>): Uint8Array {
  const record = recordBytes(cifar10Layout);
  const bytes = new Uint8Array(labels.length * record);
  for (let image = 0; image < labels.length; image++) {
    bytes[image * record] = labels[image]!;
    const red = image * record + 1;
    let from = image * channels * area;
    for (let pixel = 0; pixel < area; pixel++) {
      bytes[red + pixel] = images[from++]!;
      bytes[red + area + pixel] = images[from++]!;
      bytes[red + 2 * area + pixel] = images[from++]!;
    }
  }
  return bytes;
}
