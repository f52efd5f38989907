import type { Ops, Tensor } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

type Elementwise = Pick<
  Ops,
  | "addBias"
  | "sumPerChannel"
  | "sumOver"
  | "relu"
  | "cappedRelu"
  | "reluGradient"
  | "reshape"
  | "transpose"
  | "reciprocalRoot"
  | "add"
  | "sum"
  | "multiply"
  | "dot"
>;

/** One kernel each, but for the scalar product. */
export function elementwise(run: Executor): Elementwise {
  const multiply = (a: Tensor, b: Tensor) => run.run(run.kernel("Mul", float), [a, b]);
  const sum = (x: Tensor, axes: Int32Array, keep: boolean) =>
    run.run(run.kernel("Sum", { ...float, Tidx: index, keep_dims: keep }), [x, run.create(axes, [axes.length])]);
  return {
    addBias: (x, bias) => run.run(run.kernel("BiasAdd", { ...float, data_format: "NHWC" }), [x, bias]),
    sumPerChannel: (x) => run.run(run.kernel("BiasAddGrad", { ...float, data_format: "NHWC" }), [x]),
    sumOver: (x, axes) => sum(x, Int32Array.from(axes), true),
    relu: (x) => run.run(run.kernel("Relu", float), [x]),
    cappedRelu: (x, limit) => run.run(run.kernel("ClipByValue", float), [x, run.scalar(0), run.scalar(limit)]),
    reluGradient: (output, gradient) => run.run(run.kernel("ReluGrad", float), [gradient, output]),
    reshape: (x, shape) =>
      run.run(run.kernel("Reshape", { T: { dtype: dataTypes[x.dtype] }, Tshape: index }), [
        x,
        run.create(Int32Array.from(shape), [shape.length]),
      ]),
    transpose: (x, order) =>
      run.run(run.kernel("Transpose", { T: { dtype: dataTypes[x.dtype] }, Tperm: index }), [
        x,
        run.create(Int32Array.from(order), [order.length]),
      ]),
    reciprocalRoot: (x, epsilon) =>
      run.run(run.kernel("Rsqrt", float), [run.run(run.kernel("AddV2", float), [x, run.scalar(epsilon)])]),
    add: (a, b) => run.run(run.kernel("AddV2", float), [a, b]),
    sum: (tensors) => run.run(run.kernel("AddN", { ...float, N: tensors.length }), tensors),
    multiply,
    // A product and a sum on all cores take a fifth of a matrix product of one row and one column, which runs on one.
    dot(a, b) {
      const product = multiply(a, b);
      const axes = Int32Array.from(a.shape, (_, axis) => axis);
      const result = sum(product, axes, false);
      run.release(product);
      return result;
    },
  };
}
