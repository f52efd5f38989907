import type { Pair } from "../core/pair.ts";
import { isPadded } from "../engine/op-options.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape, windowOutput } from "./windows.ts";

/** Largest of each window; padding never wins. */
export interface MaxPoolNode {
  readonly kind: "max-pool";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** No element is smaller: padding with it never wins. */
const LOWEST = -3.4e38;

const border = ({ padding }: MaxPoolNode) => ({ padding, channels: [0, 0] as const });

export const maxPool: NodeKind<MaxPoolNode, readonly [padded: Tensor, output: Tensor, workspace: Tensor | null]> = {
  shape({ id, size, strides, padding }, [x]) {
    const image = imageShape(id, x);
    return [...windowOutput(id, image, { kernel: size, strides, padding }), image[2]];
  },
  macs: null,
  readsIntegers: false,
  forward(node, [x], { ops }) {
    const padded = isPadded(node) ? ops.pad(x, border(node), LOWEST) : x;
    const { output, workspace } = ops.maxPool(padded, node);
    return { output, saved: [padded, output, workspace] };
  },
  addsBias: false,
  backward(node, gradient, [padded, output, workspace], { ops }) {
    const pooled = { output: output, workspace: workspace ?? null };
    const result = ops.maxPoolGradient(padded, pooled, gradient, node);
    return [isPadded(node) ? ops.crop(result, border(node)) : result];
  },
  nonNegative: (_, [x]) => x,
  grid: "kept",
  channels: sameChannels,
  letsFactorsPass: () => true,
  copies: 0,
};
