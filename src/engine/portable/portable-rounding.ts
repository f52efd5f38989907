import type { RoundingKernels } from "../extensions.ts";
import { type Arena, of } from "./arena.ts";

/** The rectified sigmoid and its regularizer. */
export function rounding(arena: Arena): RoundingKernels {
  return {
    rectifiedSigmoid: (v) => arena.make((tf) => tf.clipByValue(tf.sub(tf.mul(tf.sigmoid(of(v)), 1.2), 0.1), 0, 1)),
    rectifiedSigmoidGradient: (h, gradient) =>
      arena.make((tf) => {
        const free = tf.logicalAnd(tf.greater(of(h), 0), tf.less(of(h), 1));
        const sigmoid = tf.div(tf.add(of(h), 0.1), 1.2);
        const slope = tf.mul(tf.mul(sigmoid, tf.sub(1, sigmoid)), 1.2);
        return tf.mul(tf.mul(of(gradient), slope), tf.cast(free, "float32"));
      }),
    roundingSlope: (h, beta) =>
      arena.make((tf) => {
        const u = tf.sub(tf.mul(of(h), 2), 1);
        return tf.mul(tf.mul(tf.pow(tf.abs(u), beta - 1), tf.sign(u)), -2 * beta);
      }),
  };
}
