import type * as TensorFlow from "@tensorflow/tfjs-core";
import { last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import { codeLimits, stepSize } from "../../quantization/grid.ts";
import { clipFactor } from "../../quantization/levels.ts";
import type { BatchStatistics, Ops, Tensor } from "../ops.ts";
import { type Arena, of, type Tfjs } from "./arena.ts";

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
  | "quantize"
  | "rangeMask"
  | "batchNorm"
  | "batchStatistics"
  | "batchNormGradient"
  | "affine"
  | "crossEntropy"
  | "argMax"
>;

/** As in the native implementation: elements this close to the range's end count as clipped. */
const RANGE_MARGIN = 3e-7;

/** Everything that works element by element or sums up. */
export function elementwise(arena: Arena): Elementwise {
  const add = (a: Tensor, b: Tensor) => arena.make((tf) => tf.add(of(a), of(b)));
  const rows = (tf: Tfjs, x: Tensor) => tf.reshape(of(x), [-1, last(x.shape)]);
  const batchStatistics = (x: Tensor): BatchStatistics => ({
    mean: arena.make((tf) => tf.mean(rows(tf, x), 0)),
    variance: arena.make((tf) => tf.moments(rows(tf, x), 0).variance),
  });
  return {
    addBias: add,
    sumPerChannel: (x) => arena.make((tf) => tf.sum(rows(tf, x), 0)),
    sumOver: (x, axes) => arena.make((tf) => tf.sum(of(x), [...axes], true)),
    relu: (x) => arena.make((tf) => tf.relu(of(x))),
    cappedRelu: (x, limit) => arena.make((tf) => tf.clipByValue(of(x), 0, limit)),
    reluGradient: (output, gradient) =>
      arena.make((tf) => tf.mul(of(gradient), tf.cast(tf.greater(of(output), 0), "float32"))),
    reshape: (x, shape) => arena.make((tf) => tf.reshape(of(x), [...shape])),
    transpose: (x, order) => arena.make((tf) => tf.transpose(of(x), [...order])),
    reciprocalRoot: (x, epsilon) => arena.make((tf) => tf.rsqrt(tf.add(of(x), epsilon))),
    add,
    sum: (tensors) => arena.make((tf) => tf.addN(tensors.map((tensor) => of(tensor)))),
    multiply: (a, b) => arena.make((tf) => tf.mul(of(a), of(b))),
    dot: (a, b) => arena.make((tf) => tf.sum(tf.mul(of(a), of(b)))),
    quantize: (x, { bits, signed, xMax }) =>
      arena.make((tf) => {
        const high = xMax * clipFactor;
        const clipped = tf.clipByValue(of(x), signed ? -high : 0, high);
        if (bits === 32) return clipped;
        const step = stepSize(bits, { xMax, signed });
        const [lowest, highest] = codeLimits(bits, signed);
        return tf.mul(tf.clipByValue(tf.round(tf.div(clipped, step)), lowest, highest), step);
      }),
    rangeMask: (x, gradient, { signed, xMax }) =>
      arena.make((tf) => {
        const end = xMax * (1 - RANGE_MARGIN);
        const inside = tf.logicalAnd(tf.less(of(x), end), tf.greater(of(x), signed ? -end : 0));
        return tf.mul(of(gradient), tf.cast(inside, "float32"));
      }),
    batchStatistics,
    batchNorm(x, scale, shift, epsilon) {
      const { mean, variance } = batchStatistics(x);
      const output = arena.make((tf) => {
        const factor = tf.mul(of(scale), tf.rsqrt(tf.add(of(variance), epsilon)));
        return tf.add(tf.mul(tf.sub(of(x), of(mean)), factor), of(shift));
      });
      return { output, statistics: { mean, variance } };
    },
    batchNormGradient(x, gradient, scale, { mean, variance }, epsilon) {
      const factor = arena.make((tf) => tf.rsqrt(tf.add(of(variance), epsilon)));
      const normal = arena.make((tf) => tf.mul(tf.sub(of(x), of(mean)), of(factor)));
      const byShift = arena.make((tf) => tf.sum(rows(tf, gradient), 0));
      const byScale = arena.make((tf) => tf.sum(tf.mul(rows(tf, gradient), rows(tf, normal)), 0));
      const count = x.shape.reduce((product, size) => product * size, 1) / last(x.shape);
      const byX = arena.make((tf) => {
        const projected = tf.div(tf.add(of(byShift), tf.mul(of(normal), of(byScale))), count);
        return tf.mul(tf.sub(of(gradient), projected), tf.mul(of(scale), of(factor)));
      });
      return { x: byX, scale: byScale, shift: byShift };
    },
    affine: (x, scale, shift) => arena.make((tf) => tf.add(tf.mul(of(x), of(scale)), of(shift))),
    crossEntropy(logits, labels) {
      const [batch, classes] = tuple(logits.shape, 2);
      const truth = (tf: Tfjs) => tf.cast(tf.oneHot(of<TensorFlow.Tensor1D>(labels), classes), "float32");
      const loss = arena.make((tf) => {
        const shifted = tf.sub(of(logits), tf.max(of(logits), 1, true));
        const logSum = tf.log(tf.sum(tf.exp(shifted), 1, true));
        return tf.div(tf.sum(tf.mul(truth(tf), tf.sub(logSum, shifted))), batch);
      });
      const gradient = arena.make((tf) => tf.div(tf.sub(tf.softmax(of(logits)), truth(tf)), batch));
      return { loss, gradient };
    },
    argMax: (logits) => arena.make((tf) => tf.argMax(of(logits), 1)),
  };
}
