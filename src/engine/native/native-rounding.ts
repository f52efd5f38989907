import type { RoundingKernels } from "../extensions.ts";
import type { Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float } from "./kernel-attributes.ts";

/** The rectified sigmoid and its regularizer, composed of elementwise kernels. */
export function rounding(run: Executor): RoundingKernels {
  const multiply = (a: Tensor, b: Tensor) => run.run(run.kernel("Mul", float), [a, b]);
  const add = (a: Tensor, b: Tensor) => run.run(run.kernel("AddV2", float), [a, b]);
  const unary = (name: string, x: Tensor) => run.run(run.kernel(name, float), [x]);
  return {
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
