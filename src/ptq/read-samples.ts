import { UserError } from "../core/errors.ts";
import { elementBytes, elementKind, readNumbers } from "../data/formats/numpy/npy.ts";
import { NpzFile } from "../data/formats/numpy/npz.ts";
import type { SampleArray, SampleData } from "./samples.ts";

/** The arrays of a .npz file, by name. @throws UserError that names file and array. */
export async function readArrays(path: string): Promise<ReadonlyMap<string, SampleArray>> {
  const file = await NpzFile.open(path);
  const arrays = new Map<string, SampleArray>();
  try {
    for (const name of file.names) {
      const { shape, type, bytes } = await file.read(name, ({ type }, place) => {
        if (elementKind(type) === null && type !== "|b1") {
          throw new UserError(`cannot read ${place}: elements of type ${JSON.stringify(type)}, expected numbers`);
        }
        return elementBytes(type);
      });
      arrays.set(name, { shape, data: dataOf(bytes, type) });
    }
  } finally {
    file.close();
  }
  return arrays;
}

function dataOf(bytes: Uint8Array, type: string): SampleData {
  const copy = Uint8Array.from(bytes);
  switch (type) {
    case "<f4":
      return new Float32Array(copy.buffer);
    case "<i8":
      return new BigInt64Array(copy.buffer);
    case "<i4":
      return new Int32Array(copy.buffer);
    case "|u1":
    case "|b1":
      return copy;
    default:
      return Float64Array.from(readNumbers(bytes, type));
  }
}
