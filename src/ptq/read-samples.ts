import { messageOf, UserError } from "../core/errors.ts";
import { halfToFloat } from "../core/half-precision.ts";
import { readWholeFile } from "../core/read-file.ts";
import { checkLabels, labelValues } from "../data/formats/numpy/labels.ts";
import { elementBytes, elementKind, type NpyHeader, parseNpyHeader, readNumbers } from "../data/formats/numpy/npy.ts";
import { type NpyArray, NpzFile } from "../data/formats/numpy/npz.ts";
import type { SampleData } from "./sample-types.ts";
import type { SampleArray } from "./samples.ts";

/** The array that tells classes, where no input has its name. */
const labelsName = "labels";

export interface SampleFile {
  /** By name; of a .npy file, which has none, by "". */
  readonly arrays: ReadonlyMap<string, SampleArray>;
  /** A class index for each sample; null: the file has none. */
  readonly labels: Int32Array | null;
}

/**
 * The arrays of a .npz file, or the only one of a .npy file.
 *
 * @param inputs Names of the model's inputs.
 * @throws UserError that names file and array.
 */
export async function readSamples(path: string, inputs: readonly string[]): Promise<SampleFile> {
  if (/\.npy$/i.test(path)) return { arrays: new Map([["", samplesOf(readNpy(path))]]), labels: null };
  const file = await NpzFile.open(path);
  const arrays = new Map<string, SampleArray>();
  let labels: Int32Array | null = null;
  try {
    for (const name of file.names) {
      if (name === labelsName && !inputs.includes(name)) {
        const array = await file.read(name, (header, place) => checkLabels(header, place, "classes"));
        labels = Int32Array.from(labelValues(array, "classes").values);
      } else {
        arrays.set(name, samplesOf(await file.read(name, checkNumbers)));
      }
    }
  } finally {
    file.close();
  }
  return { arrays, labels };
}

function readNpy(path: string): NpyArray {
  let bytes: Buffer;
  try {
    bytes = readWholeFile(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  const header = parseNpyHeader(bytes, path);
  const size = header.shape.reduce((product, length) => product * length, checkNumbers(header, path));
  if (header.start + size !== bytes.length) {
    throw new UserError(
      `cannot read ${path}: ${bytes.length} bytes, expected ${header.start + size} by its header; copy or save the file again`,
    );
  }
  return { ...header, bytes: bytes.subarray(header.start), place: path };
}

/** NumPy's truth values, and half-precision numbers. */
const others = ["|b1", "<f2"];

function checkNumbers({ type }: NpyHeader, place: string): number {
  if (elementKind(type) !== null || others.includes(type)) return elementBytes(type);
  throw new UserError(`cannot read ${place}: elements of type ${JSON.stringify(type)}, expected numbers`);
}

const samplesOf = ({ shape, type, bytes }: NpyArray): SampleArray => ({ shape, data: dataOf(bytes, type) });

function dataOf(bytes: Uint8Array, type: string): SampleData {
  const copy = Uint8Array.from(bytes);
  switch (type) {
    case "<f4":
      return new Float32Array(copy.buffer);
    case "<f2":
      return Float32Array.from(new Uint16Array(copy.buffer), halfToFloat);
    case "<i8":
      return new BigInt64Array(copy.buffer);
    case "<u8":
      return new BigUint64Array(copy.buffer);
    case "<i4":
      return new Int32Array(copy.buffer);
    case "|u1":
    case "|b1":
      return copy;
    default:
      return Float64Array.from(readNumbers(bytes, type));
  }
}
