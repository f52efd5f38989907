import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { wholeChannels } from "./channel-flows.ts";
import { asRows } from "./dense.ts";

/** exp(x) as a share of its sum over the last axis. */
export interface SoftmaxNode {
  readonly kind: "softmax";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
}

export const softmax: NodeKind<SoftmaxNode, readonly [Tensor]> = {
  shape({ id }, [x]) {
    if (x.length === 0) throw new Error(`${id}: reads a number, expected at least one axis`);
    return x;
  },
  macs: null,
  readsIntegers: false,
  forward(_, [x], { ops }) {
    const output = softmaxOf(x, ops);
    return { output, saved: [output] };
  },
  addsBias: false,
  backward: (_, gradient, [y], { ops }) => [softmaxGradient(y, gradient, ops)],
  nonNegative: () => true,
  grid: "new",
  channels: wholeChannels,
  letsFactorsPass: () => false,
  copies: 0,
};

/** Over the last axis of a tensor of any rank. */
export const softmaxOf = (x: Tensor, ops: Ops): Tensor =>
  ops.reshape(ops.extension("softmax").softmax(asRows(x, ops)), x.shape);

/** With y for what it gives: the gradient by x is y·(g - Σ g·y). */
export function softmaxGradient(y: Tensor, gradient: Tensor, ops: Ops): Tensor {
  const product = ops.multiply(gradient, y);
  const sums = ops.sumOver(product, [y.shape.length - 1]);
  const negative = ops.multiply(sums, ops.tensor(Float32Array.of(-1), [1]));
  return ops.add(product, ops.multiply(y, negative));
}
