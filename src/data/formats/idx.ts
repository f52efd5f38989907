import { UserError } from "../../core/errors.ts";

/** What an IDX file holds: images [count, height, width], or labels [count]; unsigned bytes both. */
export type IdxKind = "images" | "labels";

const rankOf = { images: 3, labels: 1 } as const;
const UNSIGNED_BYTE = 0x08;
/** 1 GiB: the largest published data set in this format, EMNIST by class, has 0.6. */
export const maxIdxBytes = 2 ** 30;

/** Bytes before the first element: two zeros, element type, rank, and a big-endian 32-bit size per dimension. */
export const idxHeaderBytes = (kind: IdxKind): number => 4 + 4 * rankOf[kind];

export interface IdxHeader {
  /** [count, height, width] or [count]. */
  readonly shape: readonly number[];
  /** Length that the whole file must have. */
  readonly bytes: number;
}

/**
 * Reads the header at the start of `bytes`. What it announces is a claim: nothing is allocated by it, and
 * `requireLength` holds it against the real length.
 *
 * @throws UserError that names `place` and the offset: wrong magic number, element type or rank, a size of 0, or sizes
 * beyond anything that can be read.
 */
export function parseIdxHeader(bytes: Uint8Array, kind: IdxKind, place: string): IdxHeader {
  const rank = rankOf[kind];
  const length = idxHeaderBytes(kind);
  const [first, second, type, foundRank] = bytes;
  if (bytes.length >= 4) {
    if (first !== 0 || second !== 0) {
      throw damaged(
        place,
        `not an IDX file of ${kind}: it starts with ${hex(bytes)} at offset 0, expected ${magic(kind)}`,
      );
    }
    if (type !== UNSIGNED_BYTE) {
      throw damaged(place, `element type ${hex(bytes.subarray(2, 3))} at offset 2, expected 08 (unsigned bytes)`);
    }
    if (foundRank !== rank) {
      throw damaged(place, `${foundRank} dimensions at offset 3, expected ${rank}, as ${kind} have`);
    }
  }
  if (bytes.length < length) {
    throw damaged(place, `truncated at offset ${bytes.length}: the header of ${kind} has ${length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const empty = shape.indexOf(0);
  if (empty >= 0)
    throw damaged(place, `size 0 of dimension ${empty + 1} at offset ${4 + 4 * empty}, expected at least 1`);
  const announced = length + shape.reduce((product, size) => product * size, 1);
  if (announced > maxIdxBytes) {
    throw damaged(
      place,
      `sizes ${shape.join(" x ")} at offset 4 announce more than the ${maxIdxBytes} bytes that can be read`,
    );
  }
  return { shape, bytes: announced };
}

/** @throws UserError that names `place` and the offset at which a file of `actual` bytes is cut off or should end. */
export function requireLength({ bytes }: IdxHeader, actual: number, place: string): void {
  if (actual < bytes) {
    throw damaged(place, `truncated at offset ${actual}: expected ${bytes} bytes by its header, has ${actual}`);
  }
  if (actual > bytes) {
    throw damaged(place, `trailing bytes at offset ${bytes}: expected ${bytes} bytes by its header, has ${actual}`);
  }
}

export interface IdxArray {
  /** [count, height, width] or [count]. */
  readonly shape: readonly number[];
  /** A view of the file's bytes, not a copy. */
  readonly values: Uint8Array;
}

/** Reads a whole IDX file from memory. @throws UserError that names `place` and the offset. */
export function parseIdx(bytes: Uint8Array, kind: IdxKind, place: string): IdxArray {
  const header = parseIdxHeader(bytes, kind, place);
  requireLength(header, bytes.length, place);
  const start = idxHeaderBytes(kind);
  // Not `subarray`: on a Buffer it gives a Buffer, whose `slice` shares memory where everybody expects a copy.
  return { shape: header.shape, values: new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start) };
}

/** Class indices of `labels`. @throws UserError at the first that is not below `classes`. */
export function classIndices({ values }: IdxArray, classes: number, place: string): Int32Array {
  const wrong = values.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    const offset = idxHeaderBytes("labels") + wrong;
    throw damaged(place, `label ${values[wrong]} of image ${wrong} at offset ${offset}, expected 0 to ${classes - 1}`);
  }
  return Int32Array.from(values);
}

const damaged = (place: string, what: string): UserError =>
  new UserError(`cannot read ${place}: ${what}; copy or download the file again`);

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");

const magic = (kind: IdxKind): string => hex(Uint8Array.of(0, 0, UNSIGNED_BYTE, rankOf[kind]));
