import { at } from "../../core/elements.ts";
import type { WeightMatrix } from "../weight-grid.ts";

/**
 * A weight cut into blocks (Stock et al. 2020, section 3): each output's inputs, in the order input channel, kernel row,
 * kernel column, make pieces of `blockSize`. Column b·outputs + o is piece b of output o.
 */
export interface Blocks {
  readonly blockSize: number;
  /** Pieces of each output · outputs. */
  readonly count: number;
  /** [count, blockSize], one column after the other. */
  readonly values: Float32Array;
}

/** Cuts a weight into blocks, whose size divides its inputs. */
export function unroll({ values, outputs, inputs }: WeightMatrix, blockSize: number): Blocks {
  const count = values.length / blockSize;
  const cut = new Float32Array(values.length);
  for (let column = 0; column < count; column++) {
    const from = startOf(column, { outputs, inputs, blockSize });
    cut.set(values.subarray(from, from + blockSize), column * blockSize);
  }
  return { blockSize, count, values: cut };
}

type MatrixShape = Pick<WeightMatrix, "outputs" | "inputs">;

/** Where in the matrix a column begins. */
const startOf = (
  column: number,
  { outputs, inputs, blockSize }: MatrixShape & { readonly blockSize: number },
): number => (column % outputs) * inputs + Math.floor(column / outputs) * blockSize;

/** A weight whose blocks are entries of a codebook. */
export interface ProductCodes {
  readonly blockSize: number;
  /** Of each column, [blocks of an output · outputs]. */
  readonly codes: Uint16Array;
  /** [centroids, blockSize] */
  readonly codebook: Float64Array;
}

/** Which number of the codebook each weight is, [outputs, inputs]. */
export function placesOf(
  { blockSize, codes }: Pick<ProductCodes, "blockSize" | "codes">,
  { outputs, inputs }: MatrixShape,
): Uint32Array {
  const places = new Uint32Array(outputs * inputs);
  for (const [column, code] of codes.entries()) {
    const start = startOf(column, { outputs, inputs, blockSize });
    for (let row = 0; row < blockSize; row++) places[start + row] = code * blockSize + row;
  }
  return places;
}

/** The inverse of {@link unroll} for what the codes stand for: [outputs, inputs] as float32. */
export const roll = (product: ProductCodes, shape: MatrixShape): Float32Array =>
  Float32Array.from(placesOf(product, shape), (place) => at(product.codebook, place));

/** How many columns have each code. */
export function countsOf(codes: ArrayLike<number>, clusters: number): Uint32Array {
  const counts = new Uint32Array(clusters);
  for (const code of Array.from(codes)) counts[code] = at(counts, code) + 1;
  return counts;
}

/**
 * The mean of the columns of each cluster, [clusters, blockSize]: of a weight's gradient it is the authors' gradient by
 * the centroids. A cluster without columns has zeros.
 */
export function clusterMeans(
  { blockSize, values }: Pick<Blocks, "blockSize"> & { readonly values: ArrayLike<number> },
  codes: ArrayLike<number>,
  clusters: number,
): Float64Array {
  const places = Uint32Array.from(
    { length: values.length },
    (_, index) => at(codes, Math.floor(index / blockSize)) * blockSize + (index % blockSize),
  );
  return meansAt(places, values, { blockSize, counts: countsOf(codes, clusters) });
}

/**
 * The means of the numbers that are each of the codebook's.
 *
 * @param places Which of them each number is.
 * @param counts Columns of each code.
 */
export function meansAt(
  places: Uint32Array,
  values: ArrayLike<number>,
  { blockSize, counts }: { readonly blockSize: number; readonly counts: Uint32Array },
): Float64Array {
  const sums = new Float64Array(counts.length * blockSize);
  for (const [index, place] of places.entries()) sums[place] = at(sums, place) + at(values, index);
  return sums.map((sum, index) => sum / Math.max(1, at(counts, Math.floor(index / blockSize))));
}
