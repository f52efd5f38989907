import { at } from "../../core/elements.ts";

/**
 * Solves matrix·x = right by Cholesky's factors.
 *
 * @param matrix Symmetric and positive definite, [size, size].
 */
export function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const size = right.length;
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let rest = at(matrix, row * size + column);
      for (let k = 0; k < column; k++) rest -= at(lower, row * size + k) * at(lower, column * size + k);
      lower[row * size + column] = column === row ? Math.sqrt(rest) : rest / at(lower, column * (size + 1));
    }
  }
  const x = right.slice();
  for (let row = 0; row < size; row++) {
    let rest = at(x, row);
    for (let k = 0; k < row; k++) rest -= at(lower, row * size + k) * at(x, k);
    x[row] = rest / at(lower, row * (size + 1));
  }
  for (let row = size - 1; row >= 0; row--) {
    let rest = at(x, row);
    for (let k = row + 1; k < size; k++) rest -= at(lower, k * size + row) * at(x, k);
    x[row] = rest / at(lower, row * (size + 1));
  }
  return x;
}
