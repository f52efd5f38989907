import { type StoredCodeBits, storedCodeBits } from "../code-bytes.ts";

/** Centroids at most: the authors' limit. */
const MOST = 2 ** 15;

/** Blocks that there are to be for each centroid: fewer, and the codebook is about as large as the weight. */
const BLOCKS_PER_CENTROID = 4;

/** The most centroids that a weight of so many blocks gets: the largest power of two below a quarter of them. */
export function mostCentroids(blocks: number): number {
  let most = 1;
  while (2 * most <= MOST && 2 * most < blocks / BLOCKS_PER_CENTROID) most *= 2;
  return most;
}

/** What a weight takes as codes and codebook. */
export interface CodebookSize {
  /** log2 of the centroids over the block size: how the authors count. */
  readonly bitsPerWeight: number;
  /** Bytes of the codes at log2 of the centroids, which no file packs unless that is 2, 4, 8 or 16. */
  readonly countedIndexBytes: number;
  /** Bits that a code takes in a file. */
  readonly codeBits: StoredCodeBits;
  /** Bytes of the codes in a file. */
  readonly indexBytes: number;
  /** Bytes of the centroids in float16. */
  readonly codebookBytes: number;
}

/** Sizes of so many blocks' codes into so many centroids. */
export function codebookSize(blocks: number, { centroids, blockSize }: CodebookShape): CodebookSize {
  const bits = Math.log2(centroids);
  const codeBits = storedCodeBits(centroids);
  return {
    bitsPerWeight: bits / blockSize,
    countedIndexBytes: (bits * blocks) / 8,
    codeBits,
    indexBytes: Math.ceil((codeBits * blocks) / 8),
    codebookBytes: 2 * centroids * blockSize,
  };
}

export interface CodebookShape {
  readonly centroids: number;
  readonly blockSize: number;
}
