import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { channelsOf } from "../graph/shape.ts";
import { wholeChannels } from "./channel-flows.ts";
import { tokenShape } from "./embedding.ts";
import { softmaxGradient, softmaxOf } from "./softmax.ts";
import { maskOf } from "./token-mask.ts";

/**
 * [tokens] (int32) and [.., tokens] to [.., tokens]: the softmax over the last axis of those that are no padding, which have
 * no share; where a text is padding alone, all have the same one.
 */
export interface MaskedSoftmaxNode {
  readonly kind: "masked-softmax";
  readonly id: NodeId;
  readonly inputs: readonly [tokens: NodeId, x: NodeId];
}

/** No number is smaller: beside any other one its share is zero. */
export const NO_SHARE = -3.4e38;

export const maskedSoftmax: NodeKind<MaskedSoftmaxNode, readonly [Tensor, Tensor]> = {
  shape({ id }, [tokens, x]) {
    const [length] = tokenShape(id, tokens);
    if (x.length === 0 || channelsOf(x) !== length) {
      throw new Error(`${id}: reads [${x}] beside ${length} tokens, expected [.., ${length}]`);
    }
    return x;
  },
  macs: null,
  readsIntegers: true,
  forward(_, [tokens, x], { ops }) {
    const { output, mask } = maskedSoftmaxOf(tokens, x, ops);
    return { output, saved: [output, mask] };
  },
  addsBias: false,
  backward: (_, gradient, [y, mask], { ops }) => [null, ops.multiply(softmaxGradient(y, gradient, ops), mask)],
  nonNegative: () => true,
  grid: "new",
  channels: { ...wholeChannels, inputs: "last" },
  letsFactorsPass: () => false,
  copies: 0,
};

/** [batch, tokens] and [batch, .., tokens] to the latter; beside it 1 for each token that is no padding, 0 for the others. */
export function maskedSoftmaxOf(
  tokens: Tensor,
  x: Tensor,
  ops: Ops,
): { readonly output: Tensor; readonly mask: Tensor } {
  const isToken = maskOf(ops.read(tokens));
  const shape = x.shape.map((size, axis) => (axis === 0 || axis === x.shape.length - 1 ? size : 1));
  const mask = ops.tensor(isToken, shape);
  const least = ops.tensor(
    isToken.map((share) => (share === 0 ? NO_SHARE : 0)),
    shape,
  );
  return { output: softmaxOf(ops.add(ops.multiply(x, mask), least), ops), mask };
}
