import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

type Rounding = Pick<Ops, "gather" | "batchMatmul" | "rectifiedSigmoid" | "rectifiedSigmoidGradient" | "roundingSlope">;

/** What learning to round needs: batches of rows, a product for each group, and the rectified sigmoid. */
export function rounding(run: Executor): Rounding {
  const multiply = (a: Tensor, b: Tensor) => run.run(run.kernel("Mul", float), [a, b]);
  const add = (a: Tensor, b: Tensor) => run.run(run.kernel("AddV2", float), [a, b]);
  const unary = (name: string, x: Tensor) => run.run(run.kernel(name, float), [x]);
  return {
    gather(x, indices, axis) {
      const kernel = run.kernel("GatherV2", { Tparams: float.T, Tindices: index, Taxis: index, batch_dims: 0 });
      return run.run(kernel, [x, indices, run.create(Int32Array.of(axis), [])]);
    },
    batchMatmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      run.run(run.kernel("BatchMatMulV2", { ...float, adj_x: transposeA, adj_y: transposeB }), [a, b]),
    rectifiedSigmoid(v) {
      const stretched = add(multiply(unary("Sigmoid", v), run.scalar(1.2)), run.scalar(-0.1));
      return run.run(run.kernel("ClipByValue", float), [stretched, run.scalar(0), run.scalar(1)]);
    },
    rectifiedSigmoidGradient(h, gradient) {
      // ReLU6's gradient is the mask of (0, 6) in one pass: stretch (0, 1) onto it.
      const masked = run.run(run.kernel("Relu6Grad", float), [gradient, multiply(h, run.scalar(6))]);
      const sigmoid = add(multiply(h, run.scalar(1 / 1.2)), run.scalar(0.1 / 1.2));
      return multiply(run.run(run.kernel("SigmoidGrad", float), [sigmoid, masked]), run.scalar(1.2));
    },
    roundingSlope(h, beta) {
      const u = add(add(h, h), run.scalar(-1));
      const power = run.run(run.kernel("Pow", float), [unary("Abs", u), run.scalar(beta - 1)]);
      return multiply(multiply(power, unary("Sign", u)), run.scalar(-2 * beta));
    },
  };
}
