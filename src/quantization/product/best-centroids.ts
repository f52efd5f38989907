import { at } from "../../core/elements.ts";
import type { BlockMetric } from "./block-metric.ts";
import { type Blocks, clusterMeans } from "./blocks.ts";
import { solveSymmetric } from "./solve-symmetric.ts";

/**
 * The centroids that lose least of their clusters, [centroids, blockSize]: with one metric the means of their blocks; with one
 * for each piece of an output's inputs what solves Σ G_b c = Σ G_b v, G_b that of the block's piece.
 */
export function bestCentroids(
  blocks: Blocks,
  codes: Uint16Array,
  metrics: readonly BlockMetric[],
  count: number,
): Float64Array {
  if (metrics.length === 1) return clusterMeans(blocks, codes, count);
  const { blockSize } = blocks;
  const perPiece = codes.length / metrics.length;
  const area = blockSize * blockSize;
  const weights = new Float64Array(count * area);
  const wanted = new Float64Array(count * blockSize);
  for (const [piece, { gram }] of metrics.entries()) {
    const own = sumsOf(blocks, codes, { from: piece * perPiece, to: (piece + 1) * perPiece });
    for (const [code, { columns, sum }] of own) {
      const [left, right] = [weights.subarray(code * area), wanted.subarray(code * blockSize)];
      for (const [place, value] of gram.entries()) {
        left[place] = at(left, place) + columns * value;
        const row = Math.floor(place / blockSize);
        right[row] = at(right, row) + value * at(sum, place % blockSize);
      }
    }
  }
  const centroids = new Float64Array(count * blockSize);
  for (let code = 0; code < count; code++) {
    const matrix = weights.subarray(code * area, (code + 1) * area);
    const right = wanted.subarray(code * blockSize, (code + 1) * blockSize);
    centroids.set(solveSymmetric(matrix, right), code * blockSize);
  }
  return centroids;
}

/** The blocks of each code among some columns: how many, and their sum. */
function sumsOf(
  { values, blockSize }: Blocks,
  codes: Uint16Array,
  { from, to }: { readonly from: number; readonly to: number },
): ReadonlyMap<number, { readonly columns: number; readonly sum: Float64Array }> {
  const sums = new Map<number, { columns: number; readonly sum: Float64Array }>();
  for (let column = from; column < to; column++) {
    const code = at(codes, column);
    const known = sums.get(code) ?? { columns: 0, sum: new Float64Array(blockSize) };
    known.columns++;
    for (let row = 0; row < blockSize; row++)
      known.sum[row] = at(known.sum, row) + at(values, column * blockSize + row);
    sums.set(code, known);
  }
  return sums;
}
