import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import { isPadded } from "../engine/op-options.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { mixedChannels } from "./channel-flows.ts";
import { convolutionMacs, convolvedShape } from "./convolution-shape.ts";

/**
 * Convolution of [height, width, in] with [kernel height, kernel width, in of a group, out]: the outputs of a group, which
 * follow each other, read the inputs of that group.
 */
export interface Conv2dNode {
  readonly kind: "conv2d";
  readonly id: NodeId;
  readonly inputs: readonly [image: NodeId, weight: NodeId];
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
  readonly groups: number;
}

export const conv2d: NodeKind<Conv2dNode, readonly [Tensor, Tensor]> = {
  shape(node, [image, weight]) {
    const [, , inputs, outputs] = tuple(weight, 4);
    const { id, groups } = node;
    if (outputs % groups !== 0) throw new Error(`${id}: ${outputs} outputs do not divide into ${groups} groups`);
    return convolvedShape(node, image, weight, { inputs: inputs * groups, outputs });
  },
  macs: convolutionMacs,
  readsIntegers: false,
  forward(node, [x, weight], { ops }, bias) {
    const saved = [ops.narrow(x), ops.narrow(weight)] as const;
    return { output: ops.conv2d(...saved, node, bias), saved };
  },
  addsBias: true,
  backward(node, gradient, [x, weight], { ops }, [needsInput, needsWeight]) {
    const narrow = ops.narrow(gradient);
    return [
      needsInput ? ops.conv2dInputGradient(x.shape, weight, narrow, node) : null,
      needsWeight ? ops.conv2dWeightGradient(x, weight.shape, narrow, node) : null,
    ];
  },
  nonNegative: () => false,
  grid: "new",
  channels: { ...mixedChannels, groups: ({ groups }) => groups, padsZeros: isPadded },
  letsFactorsPass: () => false,
  copies: 0,
};
