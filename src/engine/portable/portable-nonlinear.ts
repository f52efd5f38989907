import { composedNonlinearity } from "../composed-nonlinearity.ts";
import type { Ops, Tensor } from "../ops.ts";
import { type Arena, of, type TfTensor } from "./arena.ts";

/** Nonlinearities made of TensorFlow.js' kernels. */
export function nonlinearities(arena: Arena): Pick<Ops, "nonlinear" | "nonlinearGradient"> {
  const { tf } = arena;
  const one = (kernel: (x: TfTensor) => TfTensor) => (x: Tensor) => arena.make(() => kernel(of(x)));
  return composedNonlinearity({
    sigmoid: one(tf.sigmoid),
    tanh: one(tf.tanh),
    erf: one(tf.erf),
    exp: one(tf.exp),
    softplus: one((x) => tf.add(tf.relu(x), tf.log(tf.add(1, tf.exp(tf.neg(tf.abs(x))))))),
    sqrt: one(tf.sqrt),
    reciprocal: one((x) => tf.div(1, x)),
    clip: (x, low, high) => arena.make(() => tf.clipByValue(of(x), low, high)),
    within: (x, low, high) =>
      arena.make(() => tf.cast(tf.logicalAnd(tf.greater(of(x), low), tf.less(of(x), high)), "float32")),
    isAbove: (x) => arena.make(() => tf.cast(tf.greater(of(x), 0), "float32")),
    line: (x, factor, summand) => arena.make(() => tf.add(tf.mul(of(x), factor), summand)),
    add: (a, b) => arena.make(() => tf.add(of(a), of(b))),
    multiply: (a, b) => arena.make(() => tf.mul(of(a), of(b))),
  });
}
