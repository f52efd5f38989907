/** What the system reads, writes or hashes in one call, at most. */
const LARGEST_PIECE = 2 ** 30;

/** Bytes in pieces that one call takes. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += LARGEST_PIECE) yield bytes.subarray(from, from + LARGEST_PIECE);
}
