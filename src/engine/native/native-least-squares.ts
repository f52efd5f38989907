import { rowOf } from "../../quantization/weight-grid.ts";
import type { LeastSquaresKernels } from "../extensions.ts";
import type { Tensor } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

const double = { T: { dtype: dataTypes.float64 } } as const;

/** Sums of products in float64, by TensorFlow's matrix products of that type. */
export function leastSquares(run: Executor): LeastSquaresKernels {
  const widen = (x: Tensor) => run.run(run.kernel("Cast", { SrcT: float.T, DstT: double.T, Truncate: false }), [x]);
  const products = (a: Tensor, b: Tensor) =>
    run.run(run.kernel("BatchMatMulV2", { ...double, adj_x: true, adj_y: false }), [a, b]);
  const read = (x: Tensor) => {
    // The binding reads no float64: its halves are read as integers.
    const halves = run.run(run.kernel("Bitcast", { T: double.T, type: index }), [x]);
    return new Float64Array(run.read(halves).slice().buffer);
  };
  return {
    grams: (x, y, bias) =>
      run.scope(
        () => {
          const inputs = widen(x);
          const outputs = bias ? run.run(run.kernel("Sub", double), [widen(y), widen(bias)]) : widen(y);
          const squares = run.run(run.kernel("Square", double), [outputs]);
          const sum = run.kernel("Sum", { ...double, Tidx: index, keep_dims: false });
          const energies = read(run.run(sum, [squares, run.create(Int32Array.of(1), [1])]));
          const squared = read(products(inputs, inputs));
          const crossed = read(products(outputs, inputs));
          const [groups = 1] = x.shape;
          return Array.from({ length: groups }, (_, group) => ({
            products: rowOf(squared, group, squared.length / groups),
            cross: rowOf(crossed, group, crossed.length / groups),
            energy: rowOf(energies, group, energies.length / groups),
          }));
        },
        () => [],
      ),
    images: (matrix, rows) =>
      run.scope(
        () => {
          const inputs = Math.sqrt(matrix.length);
          const halves = run.create(new Int32Array(matrix.buffer, matrix.byteOffset, 2 * matrix.length), [
            ...[1, inputs, inputs, 2],
          ]);
          const whole = run.run(run.kernel("Bitcast", { T: index, type: double.T }), [halves]);
          const wide = widen(run.create(rows, [1, rows.length / inputs, inputs]));
          return read(run.run(run.kernel("BatchMatMulV2", { ...double, adj_x: false, adj_y: false }), [wide, whole]));
        },
        () => [],
      ),
  };
}
