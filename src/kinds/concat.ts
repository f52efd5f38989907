import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId, Shape } from "../graph/graph.ts";
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

export const concat: NodeKind<ConcatNode> = {
  shape({ id }, inputs) {
    const [first, ...others] = inputs as [Shape, ...Shape[]];
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
  backward(_, gradient, saved, { ops }) {
    const inputs = saved as readonly Tensor[];
    const rows = asImage(gradient, ops);
    const borders = bordersOf(inputs);
    return inputs.map(({ shape }, index) => ops.reshape(ops.crop(rows, borders[index]!), shape));
  },
  nonNegative: (_, inputs) => inputs.every(Boolean),
  grid: "united",
  channels: {
    ...sameChannels,
    inputs: "side-by-side",
    sources(_, channel, sizes) {
      let [input, before] = [0, 0];
      while (channel - before >= sizes[input]!) before += sizes[input++]!;
      return [{ input, channel: channel - before }];
    },
  },
  letsFactorsPass: () => false,
  copies: 0,
};

/** Tensors side by side on the last axis: each among zeros, and their sum. */
export function concatenated(inputs: readonly Tensor[], ops: Ops): Tensor {
  const borders = bordersOf(inputs);
  const widened = inputs.map((x, index) => ops.pad(asImage(x, ops), borders[index]!));
  const channels = inputs.reduce((sum, { shape }) => sum + channelsOf(shape), 0);
  return ops.reshape(ops.sum(widened), [...inputs[0]!.shape.slice(0, -1), channels]);
}

/** What stands before and behind each one on the last axis. */
function bordersOf(inputs: readonly Tensor[]) {
  const sizes = inputs.map(({ shape }) => channelsOf(shape));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  return sizes.map((size) => {
    const channels = [before, total - before - size] as const;
    before += size;
    return { padding: noPadding, channels };
  });
}

/** A tensor of any rank as images of one pixel, which is what `pad` and `crop` read. */
const asImage = (x: Tensor, ops: Ops): Tensor => {
  const channels = channelsOf(x.shape);
  return ops.reshape(x, [elementsOf(x.shape) / channels, 1, 1, channels]);
};
