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
  for (let column = 0; column < count; column++)
    cut.set(
      values.subarray(
        placeOf(column, { outputs, inputs, blockSize }),
        placeOf(column, { outputs, inputs, blockSize }) + blockSize,
      ),
      column * blockSize,
    );
  return { blockSize, count, values: cut };
}

/** A weight whose blocks are entries of a codebook. */
export interface ProductCodes {
  readonly blockSize: number;
  /** Of each column, [blocks of an output · outputs]. */
  readonly codes: Uint16Array;
  /** [centroids, blockSize] */
  readonly codebook: Float64Array;
}

/** The inverse of {@link unroll} for what the codes stand for: [outputs, inputs] as float32. */
export function roll(
  { blockSize, codes, codebook }: ProductCodes,
  { outputs, inputs }: Pick<WeightMatrix, "outputs" | "inputs">,
): Float32Array {
  const values = new Float32Array(outputs * inputs);
  for (let column = 0; column < codes.length; column++) {
    const code = codes[column]! * blockSize;
    values.set(codebook.subarray(code, code + blockSize), placeOf(column, { outputs, inputs, blockSize }));
  }
  return values;
}

/** Where in the matrix a column begins. */
const placeOf = (
  column: number,
  { outputs, inputs, blockSize }: { readonly outputs: number; readonly inputs: number; readonly blockSize: number },
): number => (column % outputs) * inputs + Math.floor(column / outputs) * blockSize;

/**
 * The mean of the columns of each cluster, [clusters, blockSize]: of a weight's gradient it is the authors' gradient by
 * the centroids. A cluster without columns has zeros.
 */
export function clusterMeans(
  { blockSize, values }: Pick<Blocks, "blockSize"> & { readonly values: ArrayLike<number> },
  codes: ArrayLike<number>,
  clusters: number,
): Float64Array {
  const sums = new Float64Array(clusters * blockSize);
  const counts = new Float64Array(clusters);
  for (let column = 0; column < codes.length; column++) {
    const code = codes[column]!;
    counts[code]!++;
    for (let row = 0; row < blockSize; row++) sums[code * blockSize + row]! += values[column * blockSize + row]!;
  }
  return sums.map((sum, index) => sum / Math.max(1, counts[Math.floor(index / blockSize)]!));
}
