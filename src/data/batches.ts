import { UserError } from "../core/errors.ts";
import { permutation } from "../core/random.ts";
import type { ByteBatch, Split, TrainingSplit } from "./dataset.ts";
import type { ImageSource } from "./image-source.ts";
import { Prefetch } from "./prefetch.ts";

/** The order of an epoch's images: a function of seed and epoch (counted from 0), so a resumed run finds it again. */
export const epochOrder = ({ seed, epoch, count }: { seed: number; epoch: number; count: number }): Uint32Array =>
  permutation({ seed, stream: "data-order", counter: epoch }, count);

/** Steps of an epoch; the last, partial batch counts (469 for 60,000 images at 128). */
export const batchesPerEpoch = (count: number, batchSize: number): number => Math.ceil(count / batchSize);

/** A batch with its images' numbers. */
interface NumberedBatch {
  readonly numbers: Uint32Array;
  readonly batch: ByteBatch;
}

async function readNumbered(source: ImageSource, numbers: Uint32Array, epoch: number | null): Promise<NumberedBatch> {
  return { numbers, batch: await source.read(numbers, epoch) };
}

/** A batch is taken: its source hears of it. */
function use(source: ImageSource, { numbers, batch }: NumberedBatch): ByteBatch {
  source.use(numbers);
  return batch;
}

/** The images of `source` that have these numbers, in this order. */
export function createSplit(source: ImageSource, indices: Uint32Array): Split {
  return {
    count: indices.length,
    async *batches({ batchSize, limit = indices.length }) {
      const wanted = indices.subarray(0, limit);
      const count = batchesPerEpoch(wanted.length, batchSize);
      const prefetch = new Prefetch<number, NumberedBatch>({
        ahead: () => source.ahead(batchSize),
        read: (batch) => readNumbered(source, wanted.subarray(batch * batchSize, (batch + 1) * batchSize), null),
        next: (batch) => (batch + 1 < count ? batch + 1 : null),
      });
      for (let batch = 0; batch < count; batch++) yield use(source, await prefetch.take(batch));
    },
  };
}

/**
 * The first images of a split that can be read.
 *
 * @throws UserError when none can.
 */
export async function firstImages(split: Split, count: number): Promise<ByteBatch> {
  for await (const batch of split.batches({ batchSize: count })) if (batch.count > 0) return batch;
  throw new UserError("cannot begin: no training image could be read");
}

/** Where a training batch stands. */
interface Place {
  readonly epoch: number;
  readonly batch: number;
  readonly batchSize: number;
}

/**
 * The same for training. While an epoch's last batches are trained on, and while its evaluation runs, the next epoch's
 * first ones are read.
 *
 * @param seed Fixes the order of every epoch.
 */
export function createTrainingSplit(source: ImageSource, indices: Uint32Array, seed: number): TrainingSplit {
  const split = createSplit(source, indices);
  const { count } = split;
  const orderOf = keepLatest((epoch) => epochOrder({ seed, epoch, count }));
  const numbersOf = ({ epoch, batch, batchSize }: Place) =>
    orderOf(epoch)
      .subarray(batch * batchSize, (batch + 1) * batchSize)
      .map((position) => indices[position]!);
  const prefetch = new Prefetch<Place, NumberedBatch>({
    ahead: ({ batchSize }) => source.ahead(batchSize),
    read: (place) => readNumbered(source, numbersOf(place), place.epoch),
    next: ({ epoch, batch, batchSize }) =>
      batch + 1 < batchesPerEpoch(count, batchSize)
        ? { epoch, batch: batch + 1, batchSize }
        : { epoch: epoch + 1, batch: 0, batchSize },
  });
  async function* epochBatches({ epoch, batchSize, batch: from }: Place) {
    for (let batch = from; batch < batchesPerEpoch(count, batchSize); batch++)
      yield use(source, await prefetch.take({ epoch, batch, batchSize }));
  }
  return {
    ...split,
    pick: (positions) =>
      createSplit(
        source,
        Uint32Array.from(positions, (position) => indices[position]!),
      ),
    epoch({ epoch, batchSize, from = 0, waiting }) {
      const batches = epochBatches({ epoch, batchSize, batch: from });
      return waiting?.over(batches) ?? batches;
    },
  };
}

/** Keeps what was computed for the last two numbers: an epoch's order costs a draw per image. */
function keepLatest<T>(compute: (number: number) => T): (number: number) => T {
  const kept = new Map<number, T>();
  return (number) => {
    const known = kept.get(number);
    if (known !== undefined) return known;
    const value = compute(number);
    for (const old of [...kept.keys()].slice(0, -1)) kept.delete(old);
    kept.set(number, value);
    return value;
  };
}
