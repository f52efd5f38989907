import type { Dataset } from "./dataset.ts";

// Samples that are no pixels are held as the bytes of their numbers, in place.

/** Bytes that a sample's number takes: a pixel's, or those of a token or a value. @param normalization Of images; null: others. */
export const numberBytes = ({ normalization }: Pick<Dataset, "normalization">): number =>
  normalization === null ? Float32Array.BYTES_PER_ELEMENT : 1;

/** The int32 numbers of tokens that the bytes of a batch of texts hold. */
export const tokensOf = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Int32Array.BYTES_PER_ELEMENT);

/** The float32 numbers that the bytes of a batch of values hold. */
export const valuesOf = (bytes: Uint8Array): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);

/** The bytes of numbers. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
