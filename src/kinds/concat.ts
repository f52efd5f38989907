import { first } from "../core/elements.ts";
import type { Border, Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { channelsOf, elementsOf } from "../graph/shape.ts";
import { sameChannels } from "./channel-flows.ts";
import { noPadding } from "./windows.ts";

/** Tensors of one shape but for the last axis, side by side on it. */
export interface ConcatNode {
  readonly kind: "concat";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId, NodeId, ...NodeId[]];
}

export const concat: NodeKind<ConcatNode, readonly Tensor[]> = {
  shape({ id }, inputs) {
    const [first, ...others] = inputs;
    const leading = first.slice(0, -1);
    const differs = others.some((shape) => shape.length !== first.length || `${shape.slice(0, -1)}` !== `${leading}`);
    if (first.length === 0 || differs) {
      const shapes = inputs.map((shape) => `[${shape}]`).join(", ");
      throw new Error(`${id}: puts ${shapes} side by side, which differ in more than the last axis`);
    }
    return [...leading, inputs.reduce((sum, shape) => sum + channelsOf(shape), 0)];
  },
  macs: null,
  readsIntegers: false,
  forward: (_, inputs, { ops }) => ({ output: concatenated(inputs, ops), saved: [...inputs] }),
  addsBias: false,
  backward(_, gradient, inputs, { ops }) {
    const rows = asImage(gradient, ops);
    return bordersOf(inputs).map(([{ shape }, border]) => ops.reshape(ops.crop(rows, border), shape));
  },
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "united",
  channels: {
    ...sameChannels,
    inputs: "side-by-side",
    sources(_, channel, sizes) {
      let before = 0;
      for (const [input, size] of sizes.entries()) {
        if (channel < before + size) return [{ input, channel: channel - before }];
        before += size;
      }
      return [];
    },
  },
  letsFactorsPass: () => false,
  copies: 0,
};

/** Tensors side by side on the last axis: each among zeros, and their sum. */
export function concatenated(inputs: readonly Tensor[], ops: Ops): Tensor {
  const widened = bordersOf(inputs).map(([x, border]) => ops.pad(asImage(x, ops), border));
  const channels = inputs.reduce((sum, { shape }) => sum + channelsOf(shape), 0);
  return ops.reshape(ops.sum(widened), [...first(inputs).shape.slice(0, -1), channels]);
}

/** Each one, and what stands before and behind it on the last axis. */
function bordersOf(inputs: readonly Tensor[]): readonly (readonly [Tensor, Border])[] {
  const total = inputs.reduce((sum, { shape }) => sum + channelsOf(shape), 0);
  let before = 0;
  return inputs.map((x) => {
    const size = channelsOf(x.shape);
    const channels = [before, total - before - size] as const;
    before += size;
    return [x, { padding: noPadding, channels }];
  });
}

/** A tensor of any rank as images of one pixel, which is what `pad` and `crop` read. */
const asImage = (x: Tensor, ops: Ops): Tensor => {
  const channels = channelsOf(x.shape);
  return ops.reshape(x, [elementsOf(x.shape) / channels, 1, 1, channels]);
};
