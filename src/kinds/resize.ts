import { at } from "../core/elements.ts";
import type { Pair } from "../core/pair.ts";
import { tuple } from "../core/tuple.ts";
import type { Ops, Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import type { NodeKind } from "../graph/node-kind.ts";
import { sameChannels } from "./channel-flows.ts";
import { imageShape } from "./windows.ts";

/**
 * Which places of two images of different sizes are one: the outer edges of their pixels, the middles of their corner
 * pixels, or the first pixels, from which on they are scaled.
 */
export type Alignment = "half-pixel" | "align-corners" | "asymmetric";

/** An image of another size, interpolated linearly along rows and columns between the nearest pixels. */
export interface ResizeNode {
  readonly kind: "resize";
  readonly id: NodeId;
  readonly inputs: readonly [NodeId];
  /** Of what it gives. */
  readonly size: Pair;
  readonly alignment: Alignment;
}

export const resize: NodeKind<ResizeNode, readonly [Tensor]> = {
  shape: ({ id, size }, [x]) => [...size, imageShape(id, x)[2]],
  macs: null,
  readsIntegers: false,
  forward: (node, [x], { ops }) => ({ output: resized(x, node, ops), saved: [x] }),
  addsBias: false,
  backward({ size, alignment }, gradient, [x], { ops }) {
    const [batch, height, width, channels] = tuple(x.shape, 4);
    const [rows, columns] = size;
    const across = ops.batchMatmul(
      matrixOf(width, columns, alignment, ops),
      ops.reshape(gradient, [batch * rows, columns, channels]),
      { transposeA: true },
    );
    const down = ops.batchMatmul(
      matrixOf(height, rows, alignment, ops),
      ops.reshape(across, [batch, rows, width * channels]),
      { transposeA: true },
    );
    return [ops.reshape(down, x.shape)];
  },
  nonNegative: (_, [x]) => x,
  grid: "new",
  channels: sameChannels,
  letsFactorsPass: () => true,
  copies: 0,
};

/** Images [batch, height, width, channels] of another size. */
export function resized(x: Tensor, { size, alignment }: Pick<ResizeNode, "size" | "alignment">, ops: Ops): Tensor {
  const [batch, height, width, channels] = tuple(x.shape, 4);
  const [rows, columns] = size;
  const down = ops.batchMatmul(
    matrixOf(height, rows, alignment, ops),
    ops.reshape(x, [batch, height, width * channels]),
  );
  const across = ops.batchMatmul(
    matrixOf(width, columns, alignment, ops),
    ops.reshape(down, [batch * rows, width, channels]),
  );
  return ops.reshape(across, [batch, rows, columns, channels]);
}

/** What each place of the longer or shorter side takes of each of the original one, [1, length, size]. */
function matrixOf(size: number, length: number, alignment: Alignment, ops: Ops): Tensor {
  const matrix = new Float32Array(length * size);
  for (const [place, { low, high, share }] of tapsAlong(size, length, alignment).entries()) {
    matrix[place * size + low] = 1 - share;
    if (share > 0) matrix[place * size + high] = share;
  }
  return ops.tensor(matrix, [1, length, size]);
}

/** The two pixels that a place lies between, and the second one's share. */
interface Taps {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Of each place along a side of `length` pixels, where it lies on one of `size`; beside the image are its outer pixels. */
function tapsAlong(size: number, length: number, alignment: Alignment): readonly Taps[] {
  const ratio = size / length;
  const coordinates: { readonly [A in Alignment]: (place: number) => number } = {
    "half-pixel": (place) => (place + 0.5) * ratio - 0.5,
    "align-corners": (place) => (length === 1 ? 0 : (place * (size - 1)) / (length - 1)),
    asymmetric: (place) => place * ratio,
  };
  return Array.from({ length }, (_, place) => {
    const coordinate = Math.min(size - 1, Math.max(0, coordinates[alignment](place)));
    const low = Math.floor(coordinate);
    return { low, high: Math.min(low + 1, size - 1), share: coordinate - low };
  });
}

/** The pixels that a place of an image lies between, and their shares, which add up to 1. */
export function tapsOf(
  [height, width]: Pair,
  { size, alignment }: Pick<ResizeNode, "size" | "alignment">,
): (row: number, column: number) => readonly { readonly pixel: number; readonly share: number }[] {
  const [down, across] = [tapsAlong(height, size[0], alignment), tapsAlong(width, size[1], alignment)];
  return (row, column) => {
    const [y, x] = [at(down, row), at(across, column)];
    const rows = [
      { place: y.low, share: 1 - y.share },
      { place: y.high, share: y.share },
    ];
    return rows.flatMap(({ place, share }) => [
      { pixel: place * width + x.low, share: share * (1 - x.share) },
      { pixel: place * width + x.high, share: share * x.share },
    ]);
  };
}
