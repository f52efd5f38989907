import { permutation } from "../engine/noise.ts";
import type { ImageSet } from "./dataset.ts";

/** Images of one step, as bytes: fresh arrays, as the engine reads them in place. */
export interface ByteBatch {
  /** [n, height, width, channels]. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** The order of an epoch's images: a function of seed and epoch (counted from 0). */
export const epochOrder = ({ seed, epoch, count }: { seed: number; epoch: number; count: number }): Uint32Array =>
  permutation({ seed, stream: "data-order", counter: epoch }, count);

/** The last, partial batch counts. */
export const batchesPerEpoch = (count: number, batchSize: number): number => Math.ceil(count / batchSize);

/** Copies the images at `indices` into a batch, a row of pixels at a time. */
export function gatherBatch({ images, labels, count }: ImageSet, indices: Uint32Array): ByteBatch {
  const pixels = images.length / count;
  const batch = { images: new Uint8Array(indices.length * pixels), labels: new Int32Array(indices.length) };
  indices.forEach((index, position) => {
    batch.images.set(images.subarray(index * pixels, (index + 1) * pixels), position * pixels);
    batch.labels[position] = labels[index]!;
  });
  return batch;
}

/** The batches of an epoch in `order`, beginning with batch `from`. */
export function* batches({
  set,
  order,
  batchSize,
  from = 0,
}: {
  set: ImageSet;
  order: Uint32Array;
  batchSize: number;
  from?: number;
}): Generator<ByteBatch> {
  for (let start = from * batchSize; start < order.length; start += batchSize) {
    yield gatherBatch(set, order.subarray(start, start + batchSize));
  }
}
