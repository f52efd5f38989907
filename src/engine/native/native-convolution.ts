import { first } from "../../core/elements.ts";
import { isOnes, type Pair } from "../../core/pair.ts";
import { tuple } from "../../core/tuple.ts";
import { type Convolutions, composedConvolutions, stepsAlike } from "../composed-convolution.ts";
import { isPadded } from "../op-options.ts";
import type { Border, Conv2dGeometry, Margins, Ops, Precision, Tensor } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor, Kernel } from "./executor.ts";
import { float, index, oneDnn } from "./kernel-attributes.ts";
import { images } from "./native-images.ts";

/** How a kernel pads by itself, or what has to be put around its images first. */
type Plan =
  | { readonly padding: "SAME" | "VALID"; readonly border: null }
  | { readonly padding: "VALID"; readonly border: Border };

const CONV2D_WITH_BIAS = "_MklNativeConv2DWithBias";

/** Convolutions and matrix products, in float32 or bfloat16; their results are float32. */
export function convolutions(
  run: Executor,
  precision: Precision,
  basic: Pick<Ops, "reshape" | "gather" | "tensor" | "release">,
): Convolutions & Pick<Ops, "narrow" | "matmul"> {
  const T = { dtype: dataTypes[precision] };
  const { pad, crop } = images(run);
  const { reshape } = basic;
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

  const kernelOf = (name: string, { strides, dilations }: Conv2dGeometry, { padding }: Plan): Kernel =>
    run.kernel(name, {
      T,
      strides: [1, ...strides, 1],
      ...(!isOnes(dilations) && { dilations: [1, ...dilations, 1] }),
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

  /** The pixels of an image that a 1 × 1 convolution with these strides reads. */
  const sampled = (x: Tensor, outputShape: readonly number[], [down, across]: Pair): Tensor => {
    const [batch, , , channels] = tuple(x.shape, 4);
    const [, rows, columns] = tuple(outputShape, 4);
    const end = [batch, (rows - 1) * down + 1, (columns - 1) * across + 1, channels];
    return run.run(run.kernel("StridedSlice", { T: { dtype: dataTypes[x.dtype] }, Index: index, ...noMasks }), [
      x,
      sizes([0, 0, 0, 0]),
      sizes(end),
      sizes([1, down, across, 1]),
    ]);
  };

  const kernels: Convolutions = {
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
      const padded = isPadded(geometry) ? pad(image, { ...geometry, channels: [0, 0] }) : image;
      const read = sampled(padded, gradient.shape, geometry.strides);
      if (padded !== image) run.release(padded);
      const alone = { ...geometry, strides: [1, 1], padding: noMargins } as const;
      const result = weightGradient("Conv2DBackpropFilter", read, shape, given, alone);
      run.release(read);
      return result;
    },
    depthwiseConv2d(x, weight, geometry) {
      if (!hasDepthwise(geometry)) return kernels.conv2d(x, weight, geometry);
      return convolve("DepthwiseConv2dNative", narrow(x), [reshape(narrow(weight), depthwise(weight.shape))], geometry);
    },
    depthwiseConv2dInputGradient(shape, weight, gradient, geometry) {
      if (!hasDepthwise(geometry)) return kernels.conv2dInputGradient(shape, weight, gradient, geometry);
      const reshaped = reshape(narrow(weight), depthwise(weight.shape));
      return inputGradient("DepthwiseConv2dNativeBackpropInput", shape, reshaped, narrow(gradient), geometry);
    },
    depthwiseConv2dWeightGradient(x, shape, gradient, geometry) {
      if (!hasDepthwise(geometry)) return kernels.conv2dWeightGradient(x, shape, gradient, geometry);
      const name = "DepthwiseConv2dNativeBackpropFilter";
      return reshape(weightGradient(name, narrow(x), depthwise(shape), narrow(gradient), geometry), shape);
    },
  };
  return {
    narrow,
    matmul: (a, b, { transposeA = false, transposeB = false } = {}) =>
      execute(run.kernel("MatMul", { T, transpose_a: transposeA, transpose_b: transposeB }), [narrow(a), narrow(b)]),
    ...(hasEveryGeometry(run, kernels) ? kernels : composedConvolutions({ ...basic, pad }, kernels)),
  };
}

/** What the depthwise kernels have; another depthwise convolution is one in as many groups as channels. */
const hasDepthwise = (geometry: Conv2dGeometry): boolean => isOnes(geometry.dilations) && stepsAlike(geometry);

/** Whether there are gradients with dilations and groups: those of oneDNN and of GPUs, not TensorFlow's own for processors. */
function hasEveryGeometry(run: Executor, { conv2dInputGradient, conv2dWeightGradient }: Convolutions): boolean {
  const geometry: Conv2dGeometry = { strides: [1, 1], dilations: [2, 2], padding: noMargins };
  const [image, weight] = [
    [1, 3, 3, 2],
    [2, 2, 1, 2],
  ];
  return run.has(() => {
    const gradient = run.create(new Float32Array(2), [1, 1, 1, 2]);
    conv2dInputGradient(image, run.create(new Float32Array(8), weight), gradient, geometry);
    conv2dWeightGradient(run.create(new Float32Array(18), image), weight, gradient, geometry);
  });
}

const noMargins: Margins = { top: 0, bottom: 0, left: 0, right: 0 };

/** None of StridedSlice's ways to read its arguments otherwise. */
const noMasks = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 } as const;

/**
 * Whether a convolution reads single pixels and leaves others out. oneDNN's gradient of such a weight is wrong on
 * processors without AVX-512 where channels are no multiple of 8, another one each time: it then gets the pixels alone.
 */
function skipsPixels(weight: readonly number[], { strides }: Conv2dGeometry): boolean {
  const [height, width] = tuple(weight, 4);
  return height === 1 && width === 1 && !isOnes(strides);
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
function planOf(image: readonly number[], weight: readonly number[], geometry: Conv2dGeometry): Plan {
  const { padding, strides, dilations } = geometry;
  const { top, bottom, left, right } = padding;
  if (!isPadded(geometry)) return { padding: "VALID", border: null };
  const [, height, width] = tuple(image, 4);
  const [kernelHeight, kernelWidth] = tuple(weight, 4);
  const vertical = samePadding(height, (kernelHeight - 1) * dilations[0] + 1, strides[0]);
  const horizontal = samePadding(width, (kernelWidth - 1) * dilations[1] + 1, strides[1]);
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
