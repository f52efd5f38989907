import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import type { Conv2dGeometry, Ops, Tensor } from "../engine/ops.ts";
import type { NodeId, Padding, Shape } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { mixedChannels } from "./channel-flows.ts";
import { imageShape } from "./windows.ts";

/**
 * Transposed convolution of [height, width, in] with [kernel height, kernel width, in, out]: each pixel puts its window into
 * the output, where windows lie `strides` apart and are summed up. It is the gradient of a convolution by what that reads.
 */
export interface ConvTransposeNode {
  readonly kind: "conv-transpose";
  readonly id: NodeId;
  readonly inputs: readonly [image: NodeId, weight: NodeId];
  readonly strides: Pair;
  /** Rows and columns of what the windows fill that are cut off. */
  readonly padding: Padding;
  /** Rows and columns that stand below and to the right of them, where the padding has cut so many off or no window reaches. */
  readonly outputPadding: Pair;
}

type Geometry = Pick<ConvTransposeNode, "strides" | "padding" | "outputPadding">;

export const convTranspose: NodeKind<ConvTransposeNode, readonly [Tensor, Tensor]> = {
  shape(node, [image, weight]) {
    const [, , inputs] = tuple(weight, 4);
    const [, , channels] = imageShape(node.id, image);
    if (channels !== inputs)
      throw new Error(`${node.id}: the weight is for ${inputs} channels, the image has ${channels}`);
    const { strides, outputPadding } = node;
    if (outputPadding.some((size, axis) => size >= (strides[axis] ?? 1)))
      throw new Error(`${node.id}: its output padding of ${outputPadding.join("×")} is no smaller than its strides`);
    const shape = transposedShape(node, image, weight);
    if (shape.some((size) => size < 1))
      throw new Error(`${node.id}: its padding leaves nothing of an image of [${image}]`);
    return shape;
  },
  /** Every pixel takes the whole weight. */
  macs(inputs) {
    const [image, weight] = tuple(inputs, 2);
    const [height, width] = tuple(image, 3);
    return elementsOf(weight) * height * width;
  },
  readsIntegers: false,
  forward(node, [x, weight], { ops }) {
    const saved = [ops.narrow(x), ops.narrow(weight)] as const;
    return { output: transposed(...saved, node, ops), saved };
  },
  addsBias: false,
  backward(node, gradient, [x, weight], { ops }, [needsInput, needsWeight]) {
    const narrow = ops.narrow(gradient);
    const geometry = geometryOf(node);
    const [height, width, inputs, outputs] = tuple(weight.shape, 4);
    return [
      needsInput ? ops.conv2d(narrow, swapped(weight, ops), geometry) : null,
      needsWeight
        ? swapped(ops.conv2dWeightGradient(narrow, [height, width, outputs, inputs], x, geometry), ops)
        : null,
    ];
  },
  nonNegative: () => false,
  grid: "new",
  // Not as many windows reach each pixel: what is the same number everywhere no longer is, behind it.
  channels: { ...mixedChannels, padsZeros: () => true },
  letsFactorsPass: () => false,
  copies: 0,
};

/** Rows, columns and channels of what a transposed convolution makes of an image. */
export function transposedShape({ strides, padding, outputPadding }: Geometry, image: Shape, weight: Shape): Shape {
  const [rows, columns] = tuple(image, 3);
  const [height, width, , outputs] = tuple(weight, 4);
  const { top, bottom, left, right } = padding;
  return [
    (rows - 1) * strides[0] + height + outputPadding[0] - top - bottom,
    (columns - 1) * strides[1] + width + outputPadding[1] - left - right,
    outputs,
  ];
}

/** The transposed convolution of images [batch, height, width, in]. */
export function transposed(x: Tensor, weight: Tensor, node: Geometry, ops: Ops): Tensor {
  const [batch, ...image] = tuple(x.shape, 4);
  const shape = [batch, ...transposedShape(node, image, weight.shape)];
  return ops.conv2dInputGradient(shape, swapped(weight, ops), x, geometryOf(node));
}

const geometryOf = ({ strides, padding }: Geometry): Conv2dGeometry => ({ strides, padding, dilations: [1, 1] });

/** The weight of the convolution that this is the gradient of, whose inputs are the outputs here; or the other way round. */
const swapped = (weight: Tensor, ops: Ops): Tensor => ops.transpose(weight, [0, 1, 3, 2]);
