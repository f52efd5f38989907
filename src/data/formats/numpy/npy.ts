import { at } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";

/** What a .npy file says of its array (NumPy Enhancement Proposal 1). */
export interface NpyHeader {
  /** As NumPy writes it: `|u1`, `<i8` … */
  readonly type: string;
  readonly shape: readonly number[];
  /** Where the first element is. */
  readonly start: number;
}

const magic = Buffer.from("\x93NUMPY", "latin1");
/** NumPy pads headers to multiples of 64; one of 64 KiB describes no plain array. */
export const maxHeaderBytes = 65536;

/**
 * Reads the header at the start of `bytes`, of which at least `maxHeaderBytes` or the whole file are given.
 *
 * @throws UserError that names `place`: no .npy file, cut off, a structured type, or an array in Fortran order.
 */
export function parseNpyHeader(bytes: Uint8Array, place: string): NpyHeader {
  const refuse = (what: string): never => {
    throw new UserError(`cannot read ${place}: ${what}`);
  };
  if (bytes.length < 12) refuse(`truncated at offset ${bytes.length}: the header of a .npy file is longer`);
  if (!magic.equals(bytes.subarray(0, magic.length))) refuse("not a .npy file: it does not start with \\x93NUMPY");
  const version = at(bytes, 6);
  if (version < 1 || version > 3) refuse(`version ${version} of the .npy format at offset 6, expected 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = version === 1 ? 10 : 12;
  const start = from + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > maxHeaderBytes) refuse(`a header of ${start} bytes, expected at most ${maxHeaderBytes}`);
  if (start > bytes.length) refuse(`truncated at offset ${bytes.length}: its header has ${start} bytes`);
  const text = Buffer.from(bytes.subarray(from, start)).toString("latin1");
  const type = /'descr':\s*'([^']+)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (type === undefined || order === undefined || shape === undefined) {
    return refuse(`a header that describes no plain array: ${JSON.stringify(text.trim().slice(0, 100))}`);
  }
  if (order === "True") refuse("an array in Fortran order; save it with numpy.ascontiguousarray(array)");
  const sizes = shape.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  return { type, shape: sizes, start };
}

type Read = (view: DataView, at: number, little: boolean) => number;

const integers: Readonly<Record<string, Read>> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
};

const floats: Readonly<Record<string, Read>> = {
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** What an array's elements are, where its type says so. */
export function elementKind(type: string): "integers" | "floats" | null {
  const name = type.slice(1);
  return name in integers ? "integers" : name in floats ? "floats" : null;
}

/** Bytes per element of a type. */
export const elementBytes = (type: string): number => Number(type.slice(2));

/** The elements of an array whose type has an `elementKind` as numbers. */
export function readNumbers(bytes: Uint8Array, type: string): Float64Array {
  return readInto(new Float64Array(bytes.byteLength / elementBytes(type)), bytes, type);
}

/** The same into an array of as many numbers. */
export function readInto<Numbers extends Float64Array | Float32Array>(
  numbers: Numbers,
  bytes: Uint8Array,
  type: string,
): Numbers {
  const name = type.slice(1);
  const read = (integers[name] ?? floats[name])!;
  const size = elementBytes(type);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = type[0] !== ">";
  for (let index = 0; index < numbers.length; index++) numbers[index] = read(view, index * size, isLittle);
  return numbers;
}

/** A shape as NumPy writes it: `(6,)`, `(6, 3)`. */
export const shapeText = (shape: readonly number[]): string => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
