import { at } from "../../core/elements.ts";
import { eigenOf } from "./jacobi.ts";

/**
 * Distances between blocks as the layer's inputs see them: ||A(v - c)||² = ||R(v - c)||², where A has inputs of the blocks
 * as rows and RᵀR = AᵀA. K-means on R·v is then the authors' EM, at a cost that knows nothing of A's rows.
 */
export interface BlockMetric {
  readonly blockSize: number;
  /** AᵀA, [blockSize, blockSize]. */
  readonly gram: Float64Array;
  /** R, [blockSize, blockSize]. */
  readonly root: Float64Array;
  /** The projection on what A sees, A⁺A, [blockSize, blockSize]: the identity where A has full column rank. */
  readonly projection: Float64Array;
}

/** Eigenvalues below so much of the largest are none: A sees nothing of that direction. */
const RANK = 1e-12;

/** The metric of AᵀA, [blockSize, blockSize]. */
export function metricOf(gram: Float64Array, blockSize: number): BlockMetric {
  const { values, vectors } = eigenOf(gram, blockSize);
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  const root = new Float64Array(blockSize * blockSize);
  const projection = new Float64Array(blockSize * blockSize);
  for (const [row, value] of values.entries()) {
    if (value <= RANK * largest) continue;
    const vector = vectors.subarray(row * blockSize, (row + 1) * blockSize);
    root.set(
      vector.map((element) => Math.sqrt(value) * element),
      row * blockSize,
    );
    for (let place = 0; place < projection.length; place++) {
      const product = at(vector, Math.floor(place / blockSize)) * at(vector, place % blockSize);
      projection[place] = at(projection, place) + product;
    }
  }
  return { blockSize, gram, root, projection };
}

/** Distances between the weights themselves: plain k-means. */
export const plainMetric = (blockSize: number): BlockMetric => metricOf(scaledIdentity(1, blockSize), blockSize);

const scaledIdentity = (scale: number, blockSize: number): Float64Array =>
  new Float64Array(blockSize * blockSize).map((_, place) => (place % (blockSize + 1) === 0 ? scale : 0));

/** Share of the mean diagonal by which directions count that the inputs do not see: there the weights alone decide. */
const UNSEEN = 1e-6;

/**
 * The metrics of AᵀA, of all blocks or of each piece of an output's inputs, for rows of any rank: what is not seen counts
 * faintly, so that blocks that differ stay apart. Those of the weights where all inputs are zero.
 */
export function seenMetrics(grams: readonly Float64Array[], blockSize: number): readonly BlockMetric[] {
  let diagonal = 0;
  for (const gram of grams)
    for (let row = 0; row < blockSize; row++) diagonal += at(gram, row * (blockSize + 1)) / (grams.length * blockSize);
  if (diagonal === 0) return grams.map(() => plainMetric(blockSize));
  const unseen = scaledIdentity(UNSEEN * diagonal, blockSize);
  return grams.map((gram) => ({
    ...metricOf(
      gram.map((value, place) => value + at(unseen, place)),
      blockSize,
    ),
    projection: metricOf(gram, blockSize).projection,
  }));
}

/** matrix·block of each block, [count, blockSize]. */
export function mapBlocks(matrix: Float64Array, blocks: ArrayLike<number>, blockSize: number): Float64Array {
  const mapped = new Float64Array(blocks.length);
  for (let start = 0; start < blocks.length; start += blockSize) {
    for (let row = 0; row < blockSize; row++) {
      let sum = 0;
      for (let column = 0; column < blockSize; column++)
        sum += at(matrix, row * blockSize + column) * at(blocks, start + column);
      mapped[start + row] = sum;
    }
  }
  return mapped;
}
