import type * as TensorFlow from "@tensorflow/tfjs-core";
import { tuple } from "../../core/tuple.ts";
import type { Ops } from "../ops.ts";
import { type Arena, of } from "./arena.ts";
import { maxPoolGradient } from "./max-pool-gradient.ts";

type Images = Pick<
  Ops,
  | "maxPool"
  | "maxPoolGradient"
  | "averagePool"
  | "averagePoolGradient"
  | "globalAveragePool"
  | "globalAveragePoolGradient"
  | "pad"
  | "crop"
  | "normalize"
>;
type Image = TensorFlow.Tensor4D;

/** Pooling, borders around images, and pixels on their way into a network. */
export function images(arena: Arena): Images {
  return {
    maxPool: (x, { size, strides }) => ({
      output: arena.make((tf) => tf.maxPool(of<Image>(x), [...size], [...strides], "valid")),
      workspace: null,
    }),
    maxPoolGradient(x, { output }, gradient, geometry) {
      // TensorFlow.js types its data by all that a tensor can hold: these are float32.
      const values = maxPoolGradient(
        of(x).dataSync() as Float32Array,
        x.shape,
        of(gradient).dataSync() as Float32Array,
        output.shape,
        geometry,
      );
      return arena.own(arena.tf.tensor(values, [...x.shape]));
    },
    averagePool: (x, { size, strides }) =>
      arena.make((tf) => tf.avgPool(of<Image>(x), [...size], [...strides], "valid")),
    // The transposed convolution with a kernel of ones, a channel at a time as an image of its own.
    averagePoolGradient: (inputShape, gradient, { size: [height, width], strides }) =>
      arena.make((tf) => {
        const [batch, imageRows, imageColumns, channels] = tuple(inputShape, 4);
        const [, rows, columns] = tuple(gradient.shape, 4);
        const single = tf.reshape(tf.transpose(of(gradient), [0, 3, 1, 2]), [batch * channels, rows, columns, 1]);
        // Four axes.
        const kernel = tf.fill([height, width, 1, 1], 1 / (height * width)) as Image;
        const shape: [number, number, number, number] = [batch * channels, imageRows, imageColumns, 1];
        // As above.
        const spread = tf.conv2dTranspose(single as Image, kernel, shape, [...strides], "valid");
        return tf.transpose(tf.reshape(spread, [batch, channels, imageRows, imageColumns]), [0, 2, 3, 1]);
      }),
    globalAveragePool: (x) => arena.make((tf) => tf.mean(of(x), [1, 2])),
    globalAveragePoolGradient: (inputShape, gradient) =>
      arena.make((tf) => {
        const [batch, height, width, channels] = tuple(inputShape, 4);
        const pixels = tf.reshape(tf.div(of(gradient), height * width), [batch, 1, 1, channels]);
        return tf.tile(pixels, [1, height, width, 1]);
      }),
    pad: (x, { padding: { top, bottom, left, right }, channels }, value = 0) =>
      arena.make((tf) => tf.pad(of<Image>(x), [[0, 0], [top, bottom], [left, right], [...channels]], value)),
    crop: (x, { padding: { top, bottom, left, right }, channels: [before, after] }) =>
      arena.make((tf) => {
        const [batch, height, width, channels] = tuple(x.shape, 4);
        const size = [batch, height - top - bottom, width - left - right, channels - before - after];
        return tf.slice(of(x), [0, top, left, before], size);
      }),
    normalize: (pixels, { mean, deviation }) =>
      arena.make((tf) => {
        const factor = tf.tensor1d(deviation.map((value) => 1 / (255 * value)));
        const shift = tf.tensor1d(mean.map((value, channel) => value / deviation[channel]!));
        return tf.sub(tf.mul(tf.cast(of(pixels), "float32"), factor), shift);
      }),
  };
}
