import type * as TensorFlow from "@tensorflow/tfjs-core";
import { at } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Convolutions } from "../composed-convolution.ts";
import type { Conv2dGeometry, Margins, Ops, Tensor } from "../ops.ts";
import { type Arena, of, type TfTensor } from "./arena.ts";

type Image = TensorFlow.Tensor4D;

/**
 * Convolutions without dilations and groups, whose gradients are made of forward kernels: WebAssembly has no others. Always
 * float32.
 */
export function convolutions(arena: Arena): Convolutions & Pick<Ops, "narrow" | "matmul"> {
  const { tf } = arena;

  const padded = (x: Tensor, { top, bottom, left, right }: Margins): Image => {
    const image = of<Image>(x);
    if (top + bottom + left + right === 0) return image;
    return tf.pad(image, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
  };

  const inputGradient = (
    inputShape: readonly number[],
    weight: TfTensor,
    gradient: Tensor,
    { strides, padding: { top, bottom, left, right } }: Conv2dGeometry,
  ): TfTensor => {
    const [batch, height, width, channels] = tuple(inputShape, 4);
    const shape: [number, number, number, number] = [batch, height + top + bottom, width + left + right, channels];
    // A weight has four axes.
    const whole = tf.conv2dTranspose(of<Image>(gradient), weight as Image, shape, [...strides], "valid");
    return tf.slice(whole, [0, top, left, 0], [...inputShape]);
  };

  /** The convolution of images by gradients, with batch and channels swapped. */
  const weightGradient = (
    x: Tensor,
    weightShape: readonly number[],
    gradient: Tensor,
    { strides, padding }: Conv2dGeometry,
  ): TfTensor => {
    const [height, width, inputs, outputs] = tuple(weightShape, 4);
    const images = tf.transpose(padded(x, padding), [3, 1, 2, 0]);
    const filters = tf.transpose(of<Image>(gradient), [1, 2, 0, 3]);
    const swapped = tf.conv2d(images, filters, 1, "valid", "NHWC", [...strides]);
    return tf.transpose(tf.slice(swapped, [0, 0, 0, 0], [inputs, height, width, outputs]), [1, 2, 0, 3]);
  };

  /** Gradients of a depthwise convolution are those of the ordinary one whose other weights are zero. */
  const spread = (weight: Tensor): TfTensor => tf.mul(of(weight), tf.eye(at(weight.shape, 3)));

  return {
    narrow: (x) => x,
    matmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      arena.make((tf) => tf.matMul(of(a), of(b), transposeA, transposeB)),
    conv2d: (x, weight, { strides, padding }, bias) =>
      arena.make((tf) => {
        const result = tf.conv2d(padded(x, padding), of<Image>(weight), [...strides], "valid");
        return bias === undefined ? result : tf.add(result, of(bias));
      }),
    conv2dInputGradient: (shape, weight, gradient, geometry) =>
      arena.make(() => inputGradient(shape, of(weight), gradient, geometry)),
    conv2dWeightGradient: (x, shape, gradient, geometry) =>
      arena.make(() => weightGradient(x, shape, gradient, geometry)),
    depthwiseConv2d: (x, weight, { strides, padding }) =>
      arena.make((tf) => {
        const [height, width, , channels] = tuple(weight.shape, 4);
        // Four axes.
        const kernels = tf.reshape(of(weight), [height, width, channels, 1]) as Image;
        return tf.depthwiseConv2d(padded(x, padding), kernels, [...strides], "valid");
      }),
    depthwiseConv2dInputGradient: (shape, weight, gradient, geometry) =>
      arena.make(() => inputGradient(shape, spread(weight), gradient, geometry)),
    depthwiseConv2dWeightGradient: (x, shape, gradient, geometry) =>
      arena.make((tf) => {
        const [height, width, , channels] = tuple(shape, 4);
        const full = weightGradient(x, [height, width, channels, channels], gradient, geometry);
        return tf.sum(tf.mul(full, tf.eye(channels)), 2, true);
      }),
  };
}
