import { first } from "../core/elements.ts";
import { isPadded } from "../engine/op-options.ts";
import type { NodeId, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape } from "./windows.ts";

/** Adds rows, columns and channels of zeros to an image. */
export interface PadNode {
  readonly kind: "pad";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly padding: Padding;
  /** Channels of zeros before and after. */
  readonly channels: readonly [before: number, after: number];
}

export const pad: NodeKind<PadNode, readonly []> = {
  shape({ id, padding: { top, bottom, left, right }, channels: [before, after] }, [image]) {
    const [height, width, channels] = imageShape(id, image);
    return [height + top + bottom, width + left + right, channels + before + after];
  },
  macs: null,
  readsIntegers: false,
  forward: (node, [x], { ops }) => ({ output: ops.pad(x, node), saved: [] }),
  addsBias: false,
  backward: (node, gradient, _, { ops }) => [ops.crop(gradient, node)],
  nonNegative: (_, [x]) => x,
  // Every grid has a zero.
  grid: "kept",
  channels: {
    ...sameChannels,
    sources({ channels: [before] }, channel, sizes) {
      const from = channel - before;
      return from >= 0 && from < first(sizes) ? [{ input: 0, channel: from }] : [];
    },
    padsZeros: isPadded,
  },
  // Behind channels of zeros a channel has another index.
  letsFactorsPass: ({ channels: [before, after] }) => before + after === 0,
  copies: 0,
};
