import type { IntegerBits } from "../frozen-network.ts";

/** Bytes of a tensor whose elements are packed without gaps: ceil(bits · elements / 8). */
export const packedBytes = (bits: IntegerBits | 32, elements: number): number => Math.ceil((bits * elements) / 8);

/**
 * Packs integer codes as TensorProto.raw_data wants them: little-endian, the first element in the lowest bits, two's
 * complement. [1, -1, 0, 1] at 2 bits is 0b01_00_11_01.
 */
export function packCodes(codes: ArrayLike<number>, bits: IntegerBits): Uint8Array {
  const packed = new Uint8Array(packedBytes(bits, codes.length));
  if (bits === 16) {
    for (let index = 0; index < codes.length; index++) {
      packed[2 * index] = codes[index]! & 0xff;
      packed[2 * index + 1] = (codes[index]! >> 8) & 0xff;
    }
    return packed;
  }
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  for (let index = 0; index < codes.length; index++) {
    const byte = Math.floor(index / perByte);
    packed[byte] = packed[byte]! | ((codes[index]! & mask) << ((index % perByte) * bits));
  }
  return packed;
}

/** Little-endian bytes of float32 values, on any machine. */
export function floatBytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) view.setFloat32(4 * index, values[index]!, true);
  return bytes;
}

/** Little-endian bytes of int32 values, on any machine. */
export function intBytes(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) view.setInt32(4 * index, values[index]!, true);
  return bytes;
}
