import { at } from "../core/elements.ts";
import type { Border, Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { elementsOf } from "../graph/shape.ts";
import { wholeChannels } from "./channel-flows.ts";
import { noPadding } from "./windows.ts";

/** Places of an axis that stand side by side: [.., axis, ..] to [.., size, ..]. */
export interface SliceNode {
  readonly kind: "slice";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  /** Counted without the batch. */
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

export const slice: NodeKind<SliceNode, readonly [Tensor]> = {
  shape({ id, axis, start, size }, [x]) {
    if (!(axis in x) || start < 0 || size < 1 || start + size > at(x, axis)) {
      throw new Error(`${id}: takes ${size} from ${start} on of axis ${axis} of [${x}]`);
    }
    return x.with(axis, size);
  },
  macs: null,
  readsIntegers: false,
  forward: (node, [x], { ops }) => ({ output: sliced(node, x, ops), saved: [x] }),
  addsBias: false,
  backward: (node, gradient, [x], { ops }) => [
    ops.reshape(ops.pad(asImage(gradient, node, ops), bordersOf(node, x)), x.shape),
  ],
  nonNegative: (_, [x]) => x,
  grid: "kept",
  channels: wholeChannels,
  letsFactorsPass: () => false,
  copies: 0,
};

/** Some places of a tensor's axis. */
export function sliced(node: Pick<SliceNode, "axis" | "start" | "size">, x: Tensor, ops: Ops): Tensor {
  return ops.reshape(ops.crop(asImage(x, node, ops), bordersOf(node, x)), x.shape.with(node.axis + 1, node.size));
}

/** [all before, axis, 1, all behind], which is what `pad` and `crop` read. */
function asImage(x: Tensor, { axis }: Pick<SliceNode, "axis">, ops: Ops): Tensor {
  const [before, behind] = [x.shape.slice(0, axis + 1), x.shape.slice(axis + 2)];
  return ops.reshape(x, [elementsOf(before), at(x.shape, axis + 1), 1, elementsOf(behind)]);
}

/** What stands before and behind the slice. */
function bordersOf({ axis, start, size }: Pick<SliceNode, "axis" | "start" | "size">, { shape }: Tensor): Border {
  const padding = { ...noPadding, top: start, bottom: at(shape, axis + 1) - start - size };
  return { padding, channels: [0, 0] };
}
