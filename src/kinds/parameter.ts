import type { NodeId, Shape } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { ownChannels } from "./channel-flows.ts";

/** First values of a trained tensor; they are replaced where a network comes with its own. */
export type Initial =
  /** Uniform in ±bound; 1/sqrt(inputs per output) are PyTorch's defaults. */
  { readonly kind: "uniform"; readonly bound: number } | { readonly kind: "constant"; readonly value: number };

/**
 * A trained tensor; output channels are the last axis. Weights: convolution [kernel height, kernel width, in of a group, out],
 * depthwise convolution [kernel height, kernel width, 1, channels], transposed convolution [kernel height, kernel width, in,
 * out], dense [in, out]. One number per channel: a layer's
 * bias, a batch normalization's scale (gamma) and shift (beta). A constant is not trained: it is what a file has it.
 */
export interface ParameterNode {
  readonly kind: "parameter";
  readonly id: NodeId;
  readonly role: "weight" | "bias" | "scale" | "shift" | "constant";
  readonly shape: Shape;
  readonly initial: Initial;
}

export const parameter: NodeKind<ParameterNode> = {
  shape: ({ shape }) => shape,
  macs: null,
  readsIntegers: false,
  forward: ({ id }, _, pass) => ({ output: pass.parameter(id), saved: [] }),
  addsBias: false,
  backward: () => [],
  nonNegative: () => false,
  grid: "new",
  channels: ownChannels,
  letsFactorsPass: () => false,
  copies: 0,
};
