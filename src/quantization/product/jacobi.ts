import { at } from "../../core/elements.ts";

/** Eigenvalues, and the eigenvector of each as a row, of a symmetric matrix. */
export interface Eigen {
  readonly values: Float64Array;
  /** [size, size] */
  readonly vectors: Float64Array;
}

/** Sweeps after which what is left off the diagonal is rounding noise: six or seven do for matrices of blocks. */
const SWEEPS = 30;

/**
 * Jacobi's method: rotations that set one pair of elements off the diagonal to zero after the other. As accurate for small
 * eigenvalues as for large ones.
 *
 * @param matrix Symmetric, [size, size].
 */
export function eigenOf(matrix: Float64Array, size: number): Eigen {
  const a = matrix.slice();
  const vectors = new Float64Array(size * size);
  for (let row = 0; row < size; row++) vectors[row * size + row] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let rotated = false;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = at(a, p * size + q);
        const [left, right] = [at(a, p * size + p), at(a, q * size + q)];
        if (Math.abs(off) <= Number.EPSILON * Math.sqrt(Math.abs(left * right))) continue;
        rotated = true;
        const ratio = (right - left) / (2 * off);
        const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
        const cosine = 1 / Math.sqrt(tangent * tangent + 1);
        rotateColumns(a, size, { p, q, cosine, sine: tangent * cosine });
        rotateRows(a, size, { p, q, cosine, sine: tangent * cosine });
        rotateRows(vectors, size, { p, q, cosine, sine: tangent * cosine });
      }
    }
    if (!rotated) break;
  }
  return { values: Float64Array.from({ length: size }, (_, row) => at(a, row * size + row)), vectors };
}

interface Rotation {
  readonly p: number;
  readonly q: number;
  readonly cosine: number;
  readonly sine: number;
}

function rotateRows(matrix: Float64Array, size: number, { p, q, cosine, sine }: Rotation): void {
  for (let column = 0; column < size; column++) {
    const [left, right] = [at(matrix, p * size + column), at(matrix, q * size + column)];
    matrix[p * size + column] = cosine * left - sine * right;
    matrix[q * size + column] = sine * left + cosine * right;
  }
}

function rotateColumns(matrix: Float64Array, size: number, { p, q, cosine, sine }: Rotation): void {
  for (let row = 0; row < size; row++) {
    const [left, right] = [at(matrix, row * size + p), at(matrix, row * size + q)];
    matrix[row * size + p] = cosine * left - sine * right;
    matrix[row * size + q] = sine * left + cosine * right;
  }
}
