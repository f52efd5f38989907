import type { InputType, NodeId, Shape } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { ownChannels } from "./channel-flows.ts";

/** What goes into a network: images, normalised, [height, width, channels]; or any other tensor. */
export interface InputNode {
  readonly kind: "input";
  readonly id: NodeId;
  readonly shape: Shape;
  readonly dtype: InputType;
  /** Numbers of float32 that are no pixels; absent: images, which count as 8 bits, or tokens. */
  readonly values?: true;
}

export const input: NodeKind<InputNode> = {
  shape: ({ shape }) => shape,
  macs: null,
  readsIntegers: false,
  forward: ({ id }, _, pass) => ({ output: pass.input(id), saved: [] }),
  addsBias: false,
  backward: () => [],
  nonNegative: () => false,
  grid: "new",
  channels: ownChannels,
  letsFactorsPass: () => false,
  copies: 0,
};
