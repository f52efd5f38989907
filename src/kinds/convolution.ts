import type { Tensor } from "../engine/ops.ts";
import type { Conv2dNode, DepthwiseConv2dNode, Padding, Shape } from "../graph/graph.ts";
import type { Forward, NodeKind, Pass } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { windowOutput } from "./windows.ts";

/** Convolution of [height, width, in] with [kernel height, kernel width, in, out]. */
export const conv2d: NodeKind<Conv2dNode> = {
  shape(node, [image, weight]) {
    const [, , channels] = image as [number, number, number];
    const [, , inputs, outputs] = weight as [number, number, number, number];
    if (channels !== inputs) {
      throw new Error(`${node.id}: the weight is for ${inputs} channels, the image has ${channels}`);
    }
    return [...outputSize(node, image!, weight!), outputs];
  },
  macs: (_, [, weight], output) => elementsOf(weight!) * output[0]! * output[1]!,
  forward: (node, inputs, pass) => convolve(node, inputs, undefined, pass),
  forwardBiased: convolve,
  backward(node, gradient, [x, weight], { ops }, [needsInput]) {
    const narrow = ops.narrow(gradient);
    return [
      needsInput ? ops.conv2dInputGradient(x!.shape, weight!, narrow, node) : null,
      ops.conv2dWeightGradient(x!, weight!.shape, narrow, node),
    ];
  },
};

function convolve(node: Conv2dNode, [x, weight]: readonly Tensor[], bias: Tensor | undefined, { ops }: Pass): Forward {
  const saved = [ops.narrow(x!), ops.narrow(weight!)] as const;
  return { output: ops.conv2d(...saved, node, bias), saved };
}

/** Convolution of each channel of [height, width, channels] with its own of [kernel height, kernel width, 1, channels]. */
export const depthwiseConv2d: NodeKind<DepthwiseConv2dNode> = {
  shape(node, [image, weight]) {
    const [, , channels] = image as [number, number, number];
    const [, , , kernels] = weight as [number, number, number, number];
    if (channels !== kernels) {
      throw new Error(`${node.id}: the weight is for ${kernels} channels, the image has ${channels}`);
    }
    return [...outputSize(node, image!, weight!), channels];
  },
  macs: (_, [, weight], output) => elementsOf(weight!) * output[0]! * output[1]!,
  forward(node, [x, weight], { ops }) {
    const saved = [ops.narrow(x!), ops.narrow(weight!)] as const;
    return { output: ops.depthwiseConv2d(...saved, node), saved };
  },
  backward(node, gradient, [x, weight], { ops }, [needsInput]) {
    const narrow = ops.narrow(gradient);
    return [
      needsInput ? ops.depthwiseConv2dInputGradient(x!.shape, weight!, narrow, node) : null,
      ops.depthwiseConv2dWeightGradient(x!, weight!.shape, narrow, node),
    ];
  },
};

const outputSize = (
  { id, stride, padding }: { readonly id: string; readonly stride: number; readonly padding: Padding },
  image: Shape,
  [height, width]: Shape,
) => windowOutput(id, image, { kernel: [height!, width!], stride, padding });
