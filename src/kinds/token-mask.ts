import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { ownChannels } from "./channel-flows.ts";
import { tokenShape } from "./embedding.ts";
import { PADDING } from "./masked-mean.ts";

/** [tokens] (int32) to [tokens]: 1 for each that is no padding, 0 for padding: what text encoders call their attention mask. */
export interface TokenMaskNode {
  readonly kind: "token-mask";
  readonly id: NodeId;
  readonly inputs: readonly [tokens: NodeId];
}

export const tokenMask: NodeKind<TokenMaskNode, readonly []> = {
  shape: ({ id }, [tokens]) => tokenShape(id, tokens),
  macs: null,
  readsIntegers: true,
  forward: (_, [tokens], { ops }) => ({ output: ops.tensor(maskOf(ops.read(tokens)), tokens.shape), saved: [] }),
  addsBias: false,
  backward: () => [null],
  nonNegative: () => true,
  grid: "new",
  channels: ownChannels,
  letsFactorsPass: () => false,
  copies: 0,
};

/** 1 for each token that is no padding, 0 for padding. */
export const maskOf = (tokens: ArrayLike<number>): Float32Array =>
  Float32Array.from(tokens, (token) => (token === PADDING ? 0 : 1));
