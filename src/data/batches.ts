import { permutation } from "../engine/noise.ts";
import type { ImageSet } from "./dataset.ts";

/** Images of one step, as bytes. */
export interface ByteBatch {
  /** [n, height, width, channels]. */
  readonly images: Uint8Array;
  readonly labels: Int32Array;
}

/** The order of an epoch's images: a function of seed and epoch (counted from 0), so a resumed run finds it again. */
export const epochOrder = ({ seed, epoch, count }: { seed: number; epoch: number; count: number }): Uint32Array =>
  permutation({ seed, stream: "data-order", counter: epoch }, count);

/** Steps of an epoch; the last, partial batch counts (469 for 60,000 images at 128). */
export const batchesPerEpoch = (count: number, batchSize: number): number => Math.ceil(count / batchSize);

/**
 * Copies the images at `indices`, a row at a time and no pixel by itself. The arrays are fresh: the engine reads a
 * tensor's bytes in place, so they must not change while it lives.
 */
export function gatherBatch({ images, labels, count }: ImageSet, indices: Uint32Array): ByteBatch {
  const pixels = images.length / count;
  const batch = { images: new Uint8Array(indices.length * pixels), labels: new Int32Array(indices.length) };
  indices.forEach((index, position) => {
    batch.images.set(images.subarray(index * pixels, (index + 1) * pixels), position * pixels);
    batch.labels[position] = labels[index]!;
  });
  return batch;
}

export interface BatchesOptions {
  readonly set: ImageSet;
  /** As `epochOrder` gives it. */
  readonly order: Uint32Array;
  readonly batchSize: number;
  /** The first batch that is wanted, counted from 0: a resumed run begins in the middle of an epoch. */
  readonly from?: number;
}

/**
 * The batches of an epoch. What changes training images (crops, flips) belongs here, on each gathered batch: a
 * function of seed, epoch and index, as the order is.
 */
export function* batches({ set, order, batchSize, from = 0 }: BatchesOptions): Generator<ByteBatch> {
  for (let start = from * batchSize; start < order.length; start += batchSize) {
    yield gatherBatch(set, order.subarray(start, start + batchSize));
  }
}
