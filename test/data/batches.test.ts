import fc from "fast-check";
import t from "tap";
import { batches, batchesPerEpoch, epochOrder, gatherBatch } from "../../src/data/batches.ts";
import type { ImageSet } from "../../src/data/dataset.ts";

/** Images of 2 x 1 pixels: [i, i + 100], labels i mod 10. */
const setOf = (count: number): ImageSet => ({
  count,
  images: Uint8Array.from({ length: 2 * count }, (_, at) => (at >> 1) + 100 * (at & 1)),
  labels: Int32Array.from({ length: count }, (_, index) => index % 10),
});

t.test(
  "an epoch's order is a permutation that differs by seed and by epoch, and is the same when asked again",
  async (t) => {
    const order = (seed: number, epoch: number) => epochOrder({ seed, epoch, count: 1000 });
    t.same(
      [...order(1, 0)].sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, index) => index),
    );
    t.same(order(1, 0), order(1, 0));
    t.equal(new Set([order(1, 0), order(1, 1), order(2, 0)].map((one) => one.join())).size, 3);
  },
);

t.test("a batch holds the images and labels of its indices, in that order", async (t) => {
  const { images, labels } = gatherBatch(setOf(30), Uint32Array.of(21, 3, 3));
  t.same([...images], [21, 121, 3, 103, 3, 103]);
  t.same([...labels], [1, 3, 3]);
});

t.test("every batch has arrays of its own", async (t) => {
  const set = setOf(4);
  const [first, second] = [...batches({ set, order: Uint32Array.of(0, 1, 2, 3), batchSize: 2 })];
  first!.images.fill(255);
  t.same([...second!.images], [2, 102, 3, 103]);
  t.equal(set.images[0], 0, "the data set is left alone");
});

t.test("the last, partial batch counts", async (t) => {
  t.equal(batchesPerEpoch(60000, 128), 469);
  t.equal(batchesPerEpoch(256, 128), 2);
  const order = epochOrder({ seed: 1, epoch: 0, count: 10 });
  const sizes = [...batches({ set: setOf(10), order, batchSize: 4 })].map(({ labels }) => labels.length);
  t.same(sizes, [4, 4, 2]);
});

t.test("an epoch gives every image once, and resuming it at any batch gives the rest of it", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(50),
        (count, batchSize, from) => {
          const set = setOf(count);
          const order = epochOrder({ seed: 7, epoch: 3, count });
          const whole = [...batches({ set, order, batchSize })];
          const rest = [...batches({ set, order, batchSize, from })];
          const firstPixels = whole.flatMap(({ images }) => [...images].filter((_, at) => at % 2 === 0));
          return (
            whole.length === batchesPerEpoch(count, batchSize) &&
            firstPixels.join() === [...order].join() &&
            JSON.stringify(rest) === JSON.stringify(whole.slice(from))
          );
        },
      ),
      { seed: 1 },
    ),
  );
});
