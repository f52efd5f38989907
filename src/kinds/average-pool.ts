import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import { isPadded } from "../engine/op-options.ts";
import type { Ops, PoolGeometry, Tensor } from "../engine/ops.ts";
import type { NodeId, Padding } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape, windowOutput } from "./windows.ts";

/** Mean of each window; what lies beside the image does not count. */
export interface AveragePoolNode {
  readonly kind: "average-pool";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

export const averagePool: NodeKind<AveragePoolNode, readonly [Tensor]> = {
  shape({ id, size, strides, padding }, [x]) {
    const { top, bottom, left, right } = padding;
    if (Math.max(top, bottom) >= size[0] || Math.max(left, right) >= size[1]) {
      throw new Error(`${id}: a window of ${size.join("×")} has nothing but padding in it`);
    }
    const image = imageShape(id, x);
    return [...windowOutput(id, image, { kernel: size, strides, padding }), image[2]];
  },
  macs: null,
  readsIntegers: false,
  forward: (node, [x], { ops }) => ({ output: averagePooled(x, node, ops), saved: [x] }),
  addsBias: false,
  backward(node, gradient, [x], { ops }) {
    if (!isPadded(node)) return [ops.averagePoolGradient(x.shape, gradient, node)];
    const [batch, height, width, channels] = tuple(x.shape, 4);
    const { top, bottom, left, right } = node.padding;
    const padded = [batch, height + top + bottom, width + left + right, channels];
    const shared = ops.multiply(gradient, sharesOf(x.shape, node, ops));
    return [ops.crop(ops.averagePoolGradient(padded, shared, node), around(node))];
  },
  nonNegative: (_, [x]) => x,
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: () => true,
  copies: 0,
};

type Windows = PoolGeometry & Pick<AveragePoolNode, "padding">;

const around = ({ padding }: Windows) => ({ padding, channels: [0, 0] as const });

/** The mean of each window of images [batch, height, width, channels]. */
export function averagePooled(x: Tensor, node: Windows, ops: Ops): Tensor {
  if (!isPadded(node)) return ops.averagePool(x, node);
  const means = ops.averagePool(ops.pad(x, around(node)), node);
  return ops.multiply(means, sharesOf(x.shape, node, ops));
}

/** By window, what the mean with zeros for the padding is multiplied by, [rows, columns, 1]. */
function sharesOf(image: readonly number[], node: Windows, ops: Ops): Tensor {
  const { rows, columns, shares } = windowShares(image.slice(1), node);
  return ops.tensor(shares, [rows, columns, 1]);
}

/** By window over an image [height, width, channels], how many places it has for each one inside of the image. */
export function windowShares(
  image: readonly number[],
  { size, strides, padding }: Windows,
): { readonly rows: number; readonly columns: number; readonly shares: Float32Array } {
  const [height, width, channels] = tuple(image, 3);
  const [rows, columns] = windowOutput("average-pool", [height, width, channels], { kernel: size, strides, padding });
  const inside = (place: number, stride: number, before: number, kernel: number, length: number) => {
    const start = place * stride - before;
    return Math.min(start + kernel, length) - Math.max(start, 0);
  };
  const shares = Float32Array.from({ length: rows * columns }, (_, window) => {
    const down = inside(Math.floor(window / columns), strides[0], padding.top, size[0], height);
    const across = inside(window % columns, strides[1], padding.left, size[1], width);
    return (size[0] * size[1]) / (down * across);
  });
  return { rows, columns, shares };
}
