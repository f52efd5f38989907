import { at } from "../../core/elements.ts";
import { imageOf } from "../../quantization/channel-sums.ts";
import { Gram } from "../../quantization/gram.ts";
import { rowOf } from "../../quantization/weight-grid.ts";
import type { LeastSquaresKernels } from "../extensions.ts";
import type { Ops } from "../ops.ts";
import { readFloats } from "../read-floats.ts";

/** Sums of products in float64, which WebAssembly's kernels do not know: numbers of JavaScript. */
export const leastSquares = (ops: Pick<Ops, "read">): LeastSquaresKernels => ({
  grams(x, y, bias) {
    const [groups, rows, inputs] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2)];
    const outputs = at(y.shape, 2);
    const [xs, ys, biases] = [readFloats(ops, x), readFloats(ops, y), bias && readFloats(ops, bias)];
    return Array.from({ length: groups }, (_, group) => {
      const gram = new Gram(inputs, outputs);
      const own = biases && rowOf(biases, group, outputs);
      gram.add(rowOf(xs, group, rows * inputs), rowOf(ys, group, rows * outputs), own);
      return gram.finish();
    });
  },
  images(products, rows) {
    const inputs = Math.sqrt(products.length);
    const images = new Float64Array(rows.length);
    for (let row = 0; row < rows.length / inputs; row++)
      rowOf(images, row, inputs).set(imageOf(products, rowOf(rows, row, inputs)));
    return images;
  },
});
