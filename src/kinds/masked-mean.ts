import { tuple } from "../core/tuple.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { tokenShape } from "./embedding.ts";

/** What fills a text up to its length: the token of this number counts in no mean. */
export const PADDING = 0;

/** [tokens] (int32) and [tokens, units] to [units]: the mean over the tokens that are no padding. */
export interface MaskedMeanNode {
  readonly kind: "masked-mean";
  readonly id: NodeId;
  readonly inputs: readonly [tokens: NodeId, x: NodeId];
}

export const maskedMean: NodeKind<MaskedMeanNode, readonly [Tensor]> = {
  shape({ id }, [tokens, x]) {
    const [length] = tokenShape(id, tokens);
    if (x.length !== 2 || x[0] !== length) {
      throw new Error(`${id}: reads [${x}] beside ${length} tokens, expected [${length}, units]`);
    }
    return x.slice(1);
  },
  macs: null,
  readsIntegers: true,
  forward: (_, [tokens, x], { ops }) => maskedMeanOf(tokens, x, ops),
  addsBias: false,
  backward(_, gradient, [shares], { ops }) {
    const [batch, units] = tuple(gradient.shape, 2);
    return [null, ops.batchMatmul(shares, ops.reshape(gradient, [batch, 1, units]), { transposeA: true })];
  },
  nonNegative: (_, [, x]) => x,
  grid: "new",
  channels: { ...sameChannels, inputs: "last", sources: (_, channel) => [{ input: 1, channel }] },
  letsFactorsPass: () => false,
  copies: 0,
};

/** [batch, tokens] and [batch, tokens, units] to [batch, units]; beside it, what each token counts. */
export function maskedMeanOf(
  tokens: Tensor,
  x: Tensor,
  ops: Ops,
): { readonly output: Tensor; readonly saved: readonly [Tensor] } {
  const [batch, length, units] = tuple(x.shape, 3);
  const shares = ops.tensor(tokenShares(ops.read(tokens), batch), [batch, 1, length]);
  return { output: ops.reshape(ops.batchMatmul(shares, x), [batch, units]), saved: [shares] };
}

/** What each token counts in its text's mean: 1 over those that are no padding, 0 for padding. */
function tokenShares(tokens: ArrayLike<number>, batch: number): Float32Array {
  const length = tokens.length / batch;
  const shares = new Float32Array(tokens.length);
  for (let text = 0; text < batch; text++) {
    let count = 0;
    for (let at = text * length; at < (text + 1) * length; at++) if (tokens[at] !== PADDING) count++;
    for (let at = text * length; at < (text + 1) * length; at++) if (tokens[at] !== PADDING) shares[at] = 1 / count;
  }
  return shares;
}
