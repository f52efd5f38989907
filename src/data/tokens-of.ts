/** The int32 numbers that the bytes of a batch of texts hold, in place. */
export const tokensOf = (bytes: Uint8Array): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Int32Array.BYTES_PER_ELEMENT);

/** The bytes of int32 numbers, in place: how texts are held. */
export const bytesOfTokens = (tokens: Int32Array): Uint8Array =>
  new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
