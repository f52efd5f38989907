import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

type Elementwise = Pick<
  Ops,
  "addBias" | "sumPerChannel" | "relu" | "cappedRelu" | "reluGradient" | "reshape" | "add" | "sum" | "multiply" | "dot"
>;

/** One kernel each, but for the scalar product. */
export function elementwise(run: Executor): Elementwise {
  const multiply = (a: Tensor, b: Tensor) => run.run(run.kernel("Mul", float), [a, b]);
  return {
    addBias: (x, bias) => run.run(run.kernel("BiasAdd", { ...float, data_format: "NHWC" }), [x, bias]),
    sumPerChannel: (x) => run.run(run.kernel("BiasAddGrad", { ...float, data_format: "NHWC" }), [x]),
    relu: (x) => run.run(run.kernel("Relu", float), [x]),
    cappedRelu: (x, limit) => run.run(run.kernel("ClipByValue", float), [x, run.scalar(0), run.scalar(limit)]),
    reluGradient: (output, gradient) => run.run(run.kernel("ReluGrad", float), [gradient, output]),
    reshape: (x, shape) =>
      run.run(run.kernel("Reshape", { ...float, Tshape: index }), [
        x,
        run.create(Int32Array.from(shape), [shape.length]),
      ]),
    add: (a, b) => run.run(run.kernel("AddV2", float), [a, b]),
    sum: (tensors) => run.run(run.kernel("AddN", { ...float, N: tensors.length }), tensors),
    multiply,
    // A product and a sum on all cores take a fifth of a matrix product of one row and one column, which runs on one.
    dot(a, b) {
      const product = multiply(a, b);
      const axes = Int32Array.from(a.shape, (_, axis) => axis);
      const sum = run.kernel("Sum", { ...float, Tidx: index, keep_dims: false });
      const result = run.run(sum, [product, run.create(axes, [axes.length])]);
      run.release(product);
      return result;
    },
  };
}
