import type { ByteBatch, Dataset, Split } from "./dataset.ts";

/** Adds to a batch what a teacher gives for it. */
type Teach = (batch: ByteBatch) => Promise<ByteBatch>;

/** A data set whose batches come with what a teacher gives for them, as they are read. */
export function taughtBy(dataset: Dataset, teach: Teach): Dataset {
  const { train, validation, test } = dataset;
  return {
    ...dataset,
    train: {
      ...taughtSplit(train, teach),
      pick: (positions) => taughtSplit(train.pick(positions), teach),
      epoch: (options) => taughtBatches(train.epoch(options), teach),
    },
    validation: validation && taughtSplit(validation, teach),
    test: taughtSplit(test, teach),
  };
}

const taughtSplit = (split: Split, teach: Teach): Split => ({
  count: split.count,
  batches: (options) => taughtBatches(split.batches(options), teach),
});

async function* taughtBatches(batches: AsyncIterable<ByteBatch>, teach: Teach): AsyncGenerator<ByteBatch> {
  for await (const batch of batches) yield batch.count === 0 ? batch : await teach(batch);
}
