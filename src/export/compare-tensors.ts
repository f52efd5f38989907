import { UserError } from "../core/errors.ts";

/** A tensor that a file holds. */
export interface StoredTensor {
  /** Its shape and type, in words. */
  readonly kind: string;
  readonly data: Uint8Array;
}

export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/**
 * Compares the tensors that a file holds (codes, scales, biases) with those that were written, byte by byte: a wrong one
 * may move no code of any test image.
 *
 * @throws UserError that names the first tensor that differs.
 */
export function compareTensors(held: StoredTensors, written: StoredTensors, file: string): void {
  for (const [name, expected] of written) {
    const found = held.get(name);
    if (found === undefined) throw otherNetwork(file, name, "which it does not hold");
    if (found.kind !== expected.kind) throw otherNetwork(file, name, `which is ${found.kind}, not ${expected.kind}`);
    let different = 0;
    expected.data.forEach((byte, at) => {
      if (found.data[at] !== byte) different++;
    });
    if (different > 0 || found.data.length !== expected.data.length) {
      throw otherNetwork(file, name, `in ${different} of ${expected.data.length} bytes`);
    }
  }
}

export const otherNetwork = (file: string, tensor: string, how: string) =>
  new UserError(
    `${file}: differs from the trained network, first at tensor ${tensor}, ${how}. The file was made of another network, ` +
      "or is damaged: export again from the run's checkpoint.",
  );
