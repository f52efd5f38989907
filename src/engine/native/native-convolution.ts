import { first } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Border, Conv2dGeometry, Margins, Ops, Precision, Tensor } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor, Kernel } from "./executor.ts";
import { float, index, oneDnn } from "./kernel-attributes.ts";
import { images } from "./native-images.ts";

type Convolutions = Pick<
  Ops,
  | "narrow"
  | "matmul"
  | "conv2d"
  | "conv2dInputGradient"
  | "conv2dWeightGradient"
  | "depthwiseConv2d"
  | "depthwiseConv2dInputGradient"
  | "depthwiseConv2dWeightGradient"
>;

/** How a kernel pads by itself, or what has to be put around its images first. */
type Plan =
  | { readonly padding: "SAME" | "VALID"; readonly border: null }
  | { readonly padding: "VALID"; readonly border: Border };

const CONV2D_WITH_BIAS = "_MklNativeConv2DWithBias";

/** Convolutions and matrix products, in float32 or bfloat16; their results are float32. */
export function convolutions(run: Executor, precision: Precision): Convolutions {
  const T = { dtype: dataTypes[precision] };
  const { pad, crop } = images(run);
  const biasesByOneDnn = precision === "float32" && hasOneDnnBias(run);

  const narrow = (x: Tensor): Tensor => {
    if (precision === "float32" || x.dtype === precision) return x;
    return run.run(run.kernel("Cast", { SrcT: float.T, DstT: T, Truncate: false }), [x]);
  };
  const widen = (x: Tensor): Tensor => {
    if (precision === "float32") return x;
    const result = run.run(run.kernel("Cast", { SrcT: T, DstT: float.T, Truncate: false }), [x]);
    run.release(x);
    return result;
  };
  const execute = (kernel: Kernel, inputs: readonly Tensor[]) => widen(run.run(kernel, inputs));

  const kernelOf = (name: string, { stride }: Conv2dGeometry, { padding }: Plan): Kernel =>
    run.kernel(name, {
      T,
      strides: [1, stride, stride, 1],
      padding,
      data_format: "NHWC",
      ...(name.startsWith("Conv") && { use_cudnn_on_gpu: true }),
      ...(name === CONV2D_WITH_BIAS && oneDnn),
    });
  const addBias = (x: Tensor, bias: Tensor): Tensor => {
    const result = run.run(run.kernel("BiasAdd", { ...float, data_format: "NHWC" }), [x, bias]);
    run.release(x);
    return result;
  };
  const sizes = (shape: readonly number[]) => run.create(Int32Array.from(shape), [4]);
  /** A depthwise weight as TensorFlow wants it, [kernel height, kernel width, channels, 1]: the same bytes. */
  const depthwise = (shape: readonly number[]) => {
    const [height, width, , channels] = tuple(shape, 4);
    return [height, width, channels, 1];
  };
  const reshape = (x: Tensor, shape: readonly number[]): Tensor =>
    run.run(run.kernel("Reshape", { T: { dtype: dataTypes[x.dtype] }, Tshape: { dtype: dataTypes.int32 } }), [
      x,
      run.create(Int32Array.from(shape), [shape.length]),
    ]);

  const convolve = (
    name: string,
    x: Tensor,
    [weight, ...bias]: readonly [weight: Tensor] | readonly [weight: Tensor, bias: Tensor],
    geometry: Conv2dGeometry,
  ): Tensor => {
    const plan = planOf(x.shape, weight.shape, geometry);
    const padded = plan.border === null ? x : pad(x, plan.border);
    const result = execute(kernelOf(name, geometry, plan), [padded, weight, ...bias]);
    if (padded !== x) run.release(padded);
    return result;
  };
  const inputGradient = (
    name: string,
    inputShape: readonly number[],
    weight: Tensor,
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor => {
    const plan = planOf(inputShape, weight.shape, geometry);
    const shape = plan.border === null ? inputShape : paddedShape(inputShape, geometry.padding);
    const whole = execute(kernelOf(name, geometry, plan), [sizes(shape), weight, gradient]);
    if (plan.border === null) return whole;
    const result = crop(whole, plan.border);
    run.release(whole);
    return result;
  };
  const weightGradient = (
    name: string,
    x: Tensor,
    weightShape: readonly number[],
    gradient: Tensor,
    geometry: Conv2dGeometry,
  ): Tensor => {
    const plan = planOf(x.shape, weightShape, geometry);
    const padded = plan.border === null ? x : pad(x, plan.border);
    const result = execute(kernelOf(name, geometry, plan), [padded, sizes(weightShape), gradient]);
    if (padded !== x) run.release(padded);
    return result;
  };

  /** The pixels of an image that a 1 × 1 convolution with this stride reads. */
  const sampled = (x: Tensor, outputShape: readonly number[], stride: number): Tensor => {
    const [batch, , , channels] = tuple(x.shape, 4);
    const [, rows, columns] = tuple(outputShape, 4);
    const end = [batch, (rows - 1) * stride + 1, (columns - 1) * stride + 1, channels];
    return run.run(run.kernel("StridedSlice", { T: { dtype: dataTypes[x.dtype] }, Index: index, ...noMasks }), [
      x,
      sizes([0, 0, 0, 0]),
      sizes(end),
      sizes([1, stride, stride, 1]),
    ]);
  };

  return {
    narrow,
    matmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      execute(run.kernel("MatMul", { T, transpose_a: transposeA, transpose_b: transposeB }), [narrow(a), narrow(b)]),
    conv2d(x, weight, geometry, bias) {
      // Of a single output channel, TensorFlow 2.21's cache of oneDNN kernels takes it for a depthwise convolution.
      if (bias !== undefined && biasesByOneDnn && first(bias.shape) > 1) {
        return convolve(CONV2D_WITH_BIAS, x, [weight, bias], geometry);
      }
      const result = convolve("Conv2D", narrow(x), [narrow(weight)], geometry);
      return bias === undefined ? result : addBias(result, bias);
    },
    conv2dInputGradient: (shape, weight, gradient, geometry) =>
      inputGradient("Conv2DBackpropInput", shape, narrow(weight), narrow(gradient), geometry),
    conv2dWeightGradient(x, shape, gradient, geometry) {
      const [image, given] = [narrow(x), narrow(gradient)];
      if (!skipsPixels(shape, geometry)) return weightGradient("Conv2DBackpropFilter", image, shape, given, geometry);
      const read = sampled(image, gradient.shape, geometry.stride);
      const result = weightGradient("Conv2DBackpropFilter", read, shape, given, { ...geometry, stride: 1 });
      run.release(read);
      return result;
    },
    depthwiseConv2d: (x, weight, geometry) =>
      convolve("DepthwiseConv2dNative", narrow(x), [reshape(narrow(weight), depthwise(weight.shape))], geometry),
    depthwiseConv2dInputGradient: (shape, weight, gradient, geometry) => {
      const kernels = reshape(narrow(weight), depthwise(weight.shape));
      return inputGradient("DepthwiseConv2dNativeBackpropInput", shape, kernels, narrow(gradient), geometry);
    },
    depthwiseConv2dWeightGradient: (x, shape, gradient, geometry) => {
      const name = "DepthwiseConv2dNativeBackpropFilter";
      return reshape(weightGradient(name, narrow(x), depthwise(shape), narrow(gradient), geometry), shape);
    },
  };
}

/** None of StridedSlice's ways to read its arguments otherwise. */
const noMasks = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 } as const;

/**
 * Whether a convolution reads single pixels and leaves others out. oneDNN's gradient of such a weight is wrong on
 * processors without AVX-512 where channels are no multiple of 8, another one each time: it then gets the pixels alone.
 */
function skipsPixels(weight: readonly number[], { stride, padding: { top, bottom, left, right } }: Conv2dGeometry) {
  const [height, width] = tuple(weight, 4);
  return height === 1 && width === 1 && stride > 1 && top + bottom + left + right === 0;
}

function hasOneDnnBias(run: Executor): boolean {
  const attributes = { ...float, ...oneDnn, strides: [1, 1, 1, 1], padding: "VALID", data_format: "NHWC" };
  const one = (...shape: number[]) => run.create(new Float32Array(1), shape);
  const kernel = run.kernel(CONV2D_WITH_BIAS, attributes);
  return run.has(() => run.run(kernel, [one(1, 1, 1, 1), one(1, 1, 1, 1), one(1)]));
}

/**
 * The kernels know no padding, or the one that makes the output ceil(size / stride). Explicit paddings exist, but their
 * gradients take 1.5 times as long; padding the image first costs a tenth of that.
 */
function planOf(image: readonly number[], weight: readonly number[], { stride, padding }: Conv2dGeometry): Plan {
  const { top, bottom, left, right } = padding;
  if (top + bottom + left + right === 0) return { padding: "VALID", border: null };
  const [, height, width] = tuple(image, 4);
  const [kernelHeight, kernelWidth] = tuple(weight, 4);
  const vertical = samePadding(height, kernelHeight, stride);
  const horizontal = samePadding(width, kernelWidth, stride);
  if (top === vertical[0] && bottom === vertical[1] && left === horizontal[0] && right === horizontal[1]) {
    return { padding: "SAME", border: null };
  }
  return { padding: "VALID", border: { padding, channels: [0, 0] } };
}

/** Zeros before and after a side with TensorFlow's SAME padding. */
function samePadding(size: number, kernel: number, stride: number): readonly [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function paddedShape(image: readonly number[], { top, bottom, left, right }: Margins): readonly number[] {
  const [batch, height, width, channels] = tuple(image, 4);
  return [batch, height + top + bottom, width + left + right, channels];
}
