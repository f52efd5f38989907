import { eigenOf } from "./jacobi.ts";

/**
 * Distances between blocks as the layer's inputs see them: ||A(v - c)||² = ||R(v - c)||², where A has the inputs of all
 * blocks as rows and RᵀR = AᵀA. K-means on R·v is then the authors' EM, at a cost that knows nothing of A's rows.
 */
export interface BlockMetric {
  readonly blockSize: number;
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
  for (let row = 0; row < blockSize; row++) {
    const value = values[row]!;
    if (value <= RANK * largest) continue;
    const vector = vectors.subarray(row * blockSize, (row + 1) * blockSize);
    const length = Math.sqrt(value);
    for (let i = 0; i < blockSize; i++) {
      root[row * blockSize + i] = length * vector[i]!;
      for (let j = 0; j < blockSize; j++) projection[i * blockSize + j]! += vector[i]! * vector[j]!;
    }
  }
  return { blockSize, root, projection };
}

/** Distances between the weights themselves: plain k-means. */
export function plainMetric(blockSize: number): BlockMetric {
  const identity = new Float64Array(blockSize * blockSize);
  for (let row = 0; row < blockSize; row++) identity[row * blockSize + row] = 1;
  return { blockSize, root: identity, projection: identity };
}

/** Share of the mean diagonal by which directions count that the inputs do not see: there the weights alone decide. */
const UNSEEN = 1e-6;

/**
 * The metric of AᵀA for rows of any rank: what is not seen counts faintly, so that blocks that differ stay apart. That of
 * the weights where all inputs are zero.
 */
export function seenMetric(gram: Float64Array, blockSize: number): BlockMetric {
  let trace = 0;
  for (let row = 0; row < blockSize; row++) trace += gram[row * blockSize + row]!;
  if (trace === 0) return plainMetric(blockSize);
  const raised = gram.slice();
  for (let row = 0; row < blockSize; row++) raised[row * blockSize + row]! += (UNSEEN * trace) / blockSize;
  return metricOf(raised, blockSize);
}

/** matrix·block of each block, [count, blockSize]. */
export function mapBlocks(matrix: Float64Array, blocks: ArrayLike<number>, blockSize: number): Float64Array {
  const mapped = new Float64Array(blocks.length);
  for (let start = 0; start < blocks.length; start += blockSize) {
    for (let row = 0; row < blockSize; row++) {
      let sum = 0;
      for (let column = 0; column < blockSize; column++)
        sum += matrix[row * blockSize + column]! * blocks[start + column]!;
      mapped[start + row] = sum;
    }
  }
  return mapped;
}
