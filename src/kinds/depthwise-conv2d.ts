import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import { isPadded } from "../engine/op-options.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { convolutionMacs, convolvedShape } from "./convolution-shape.ts";

/** Convolution of each channel of [height, width, channels] with its own of [kernel height, kernel width, 1, channels]. */
export interface DepthwiseConv2dNode {
  readonly kind: "depthwise-conv2d";
  readonly id: NodeId;
  readonly inputs: readonly [image: NodeId, weight: NodeId];
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

export const depthwiseConv2d: NodeKind<DepthwiseConv2dNode, readonly [Tensor, Tensor]> = {
  shape(node, [image, weight]) {
    const [, , , channels] = tuple(weight, 4);
    return convolvedShape(node, image, weight, { inputs: channels, outputs: channels });
  },
  macs: convolutionMacs,
  readsIntegers: false,
  forward(node, [x, weight], { ops }) {
    const saved = [ops.narrow(x), ops.narrow(weight)] as const;
    return { output: ops.depthwiseConv2d(...saved, node), saved };
  },
  addsBias: false,
  backward(node, gradient, [x, weight], { ops }, [needsInput, needsWeight]) {
    const narrow = ops.narrow(gradient);
    return [
      needsInput ? ops.depthwiseConv2dInputGradient(x.shape, weight, narrow, node) : null,
      needsWeight ? ops.depthwiseConv2dWeightGradient(x, weight.shape, narrow, node) : null,
    ];
  },
  nonNegative: () => false,
  grid: "new",
  channels: { ...sameChannels, padsZeros: isPadded },
  letsFactorsPass: () => false,
  copies: 0,
};
