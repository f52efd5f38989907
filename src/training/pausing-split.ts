import type { Split } from "../data/dataset.ts";

/**
 * The same split, with a pause after each batch: a signal is heard within a batch, not after the set.
 *
 * @param pause Lets signals in; throws to end there.
 */
export const pausingSplit = (split: Split, pause: () => Promise<void>): Split => ({
  count: split.count,
  async *batches(options) {
    for await (const batch of split.batches(options)) {
      yield batch;
      await pause();
    }
  },
});
