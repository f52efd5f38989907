import { UserError } from "../base/errors.ts";

/** Magic numbers of the two IDX files: unsigned bytes, of rank 3 (images) and rank 1 (labels). */
const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;

/** Header fields are checked against the file's length before anything is allocated. */
function header(bytes: Buffer, place: string, { magic, rank, what }: { magic: number; rank: number; what: string }): number[] {
  const length = 4 + 4 * rank;
  if (bytes.length < length) {
    throw new UserError(`cannot read ${place}: truncated at offset ${bytes.length}, an IDX header of ${what} has ${length} bytes`);
  }
  const found = bytes.readUInt32BE(0);
  if (found !== magic) {
    const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
    throw new UserError(`cannot read ${place}: not an IDX file of ${what}, magic number ${hex(found)} at offset 0, expected ${hex(magic)}`);
  }
  const sizes = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  sizes.forEach((size, axis) => {
    if (size === 0) throw new UserError(`cannot read ${place}: size 0 at offset ${4 + 4 * axis}`);
  });
  const exact = length + sizes.reduce((total, size) => total * size, 1);
  if (bytes.length < exact) {
    throw new UserError(`cannot read ${place}: truncated at offset ${bytes.length}, its header announces ${exact} bytes; fetch the file again`);
  }
  if (bytes.length > exact) {
    throw new UserError(`cannot read ${place}: ${bytes.length - exact} bytes too many after offset ${exact}; fetch the file again`);
  }
  return sizes;
}

export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, height, width]. */
  readonly pixels: Uint8Array;
}

/** Images of an IDX file. @throws UserError that names `place` and the offset. */
export function parseIdxImages(bytes: Buffer, place: string): IdxImages {
  const [count, height, width] = header(bytes, place, { magic: IMAGES_MAGIC, rank: 3, what: "images" });
  return { count: count!, height: height!, width: width!, pixels: new Uint8Array(bytes.subarray(16)) };
}

/** Labels of an IDX file, each below `classes`. @throws UserError that names `place` and the offset. */
export function parseIdxLabels(bytes: Buffer, place: string, classes: number): Int32Array {
  header(bytes, place, { magic: LABELS_MAGIC, rank: 1, what: "labels" });
  const labels = Int32Array.from(bytes.subarray(8));
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new UserError(`cannot read ${place}: label ${labels[wrong]} at offset ${8 + wrong}, expected 0 to ${classes - 1}`);
  }
  return labels;
}
