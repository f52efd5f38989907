/**
 * Least squares of one output channel: |y - X·w|² = energy - 2·cross·w + w·products·w, with products = X^T X
 * [inputs, inputs], cross = X^T y [inputs], energy = Σ y².
 */
export interface ChannelSums {
  readonly products: Float64Array;
  readonly cross: Float64Array;
  readonly energy: number;
}

/** products·codes. */
export function imageOf(products: Float64Array, codes: Int32Array | Int8Array | Float32Array): Float64Array {
  const image = new Float64Array(codes.length);
  for (let n = 0; n < codes.length; n++) if (codes[n] !== 0) addColumn(image, products, n, codes[n]!);
  return image;
}

/** Adds a multiple of column n of the symmetric matrix, read as its row. */
export function addColumn(image: Float64Array, products: Float64Array, n: number, factor: number): void {
  for (let k = 0, at = n * image.length; k < image.length; k++, at++) image[k]! += factor * products[at]!;
}
