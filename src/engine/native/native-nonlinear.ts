import { composedNonlinearity } from "../composed-nonlinearity.ts";
import type { Ops, Tensor } from "../ops.ts";
import type { Executor } from "./executor.ts";
import { float } from "./kernel-attributes.ts";

/** Nonlinearities made of TensorFlow's kernels. */
export function nonlinearities(run: Executor): Pick<Ops, "nonlinear" | "nonlinearGradient"> {
  const one = (name: string) => (x: Tensor) => run.run(run.kernel(name, float), [x]);
  const two = (name: string) => (a: Tensor, b: Tensor) => run.run(run.kernel(name, float), [a, b]);
  const [add, multiply] = [two("AddV2"), two("Mul")];
  return composedNonlinearity({
    sigmoid: one("Sigmoid"),
    tanh: one("Tanh"),
    erf: one("Erf"),
    exp: one("Exp"),
    softplus: one("Softplus"),
    sqrt: one("Sqrt"),
    reciprocal: one("Reciprocal"),
    clip: (x, low, high) => run.run(run.kernel("ClipByValue", float), [x, run.scalar(low), run.scalar(high)]),
    // 1 where 6·(x - low)/(high - low) lies within (0, 6).
    within(x, low, high) {
      const factor = 6 / (high - low);
      const place = add(multiply(x, run.scalar(factor)), run.scalar(-low * factor));
      return run.run(run.kernel("Relu6Grad", float), [one("OnesLike")(x), place]);
    },
    isAbove: (x) => run.run(run.kernel("ReluGrad", float), [one("OnesLike")(x), x]),
    line: (x, factor, summand) => add(multiply(x, run.scalar(factor)), run.scalar(summand)),
    add,
    multiply,
  });
}
