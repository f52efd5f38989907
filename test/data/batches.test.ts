import fc from "fast-check";
import t from "tap";
import { batchesPerEpoch, createSplit, createTrainingSplit, epochOrder, firstImages } from "../../src/data/batches.ts";
import type { ImageSource } from "../../src/data/image-source.ts";
import { memorySource } from "../../src/data/memory-source.ts";
import { all, setOf, setShape, splitOf, trainingSplitOf } from "../fixtures/splits.ts";
import { classTargets } from "../fixtures/tasks.ts";

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

t.test("a split gives its own images in its own order", async (t) => {
  const split = createSplit(memorySource(setOf(30), setShape, { seed: 1 }), Uint32Array.of(21, 3, 4));
  t.equal(split.count, 3);
  const [first, second] = await all(split.batches({ batchSize: 2 }));
  t.same([...first!.images], [21, 121, 3, 103]);
  t.same([...first!.targets.values], [1, 3]);
  t.same([...second!.images], [4, 104]);
  t.same(
    (await all(split.batches({ batchSize: 5, limit: 2 }))).map(({ targets }) => [...targets.values]),
    [[1, 3]],
  );
});

t.test("every batch has arrays of its own", async (t) => {
  const set = setOf(4);
  const [first, second] = await all(splitOf(set, setShape).batches({ batchSize: 2 }));
  first!.images.fill(255);
  t.same([...second!.images], [2, 102, 3, 103]);
  t.equal(set.images[0], 0, "the data set is left alone");
});

t.test("the last, partial batch counts", async (t) => {
  t.equal(batchesPerEpoch(60000, 128), 469);
  t.equal(batchesPerEpoch(256, 128), 2);
  const batches = await all(trainingSplitOf(setOf(10), setShape, 1).epoch({ epoch: 0, batchSize: 4 }));
  t.same(
    batches.map(({ count }) => count),
    [4, 4, 2],
  );
});

t.test("an epoch gives every image once, and resuming it at any batch gives the rest of it", async (t) => {
  await t.resolves(
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(50),
        async (count, batchSize, from) => {
          const split = () => trainingSplitOf(setOf(count), setShape, 7);
          const whole = await all(split().epoch({ epoch: 3, batchSize }));
          const rest = await all(split().epoch({ epoch: 3, batchSize, from }));
          const firstPixels = whole.flatMap(({ images }) => [...images].filter((_, at) => at % 2 === 0));
          return (
            whole.length === batchesPerEpoch(count, batchSize) &&
            firstPixels.join() === [...epochOrder({ seed: 7, epoch: 3, count })].join() &&
            JSON.stringify(rest) === JSON.stringify(whole.slice(from))
          );
        },
      ),
      { seed: 1 },
    ),
  );
});

/** A source as one of files: it reads ahead, and notes what it was asked for, as [epoch, images], and what was taken. */
function streamed(count: number, ahead: number) {
  const memory = memorySource(setOf(count), setShape, { seed: 1 });
  const asked: [number | null, number][] = [];
  const taken: number[] = [];
  const source: ImageSource = {
    count: memory.count,
    ahead: () => ahead,
    read(indices, epoch) {
      asked.push([epoch, indices.length]);
      return memory.read(indices, epoch);
    },
    use: (indices) => void taken.push(...indices),
  };
  return { source, asked, taken };
}

t.test("a streamed split reads ahead, but no further than it may, and not past its end", async (t) => {
  const { source, asked } = streamed(10, 2);
  const batches = createSplit(
    source,
    Uint32Array.from({ length: 10 }, (_, index) => index),
  ).batches({ batchSize: 2 });
  const iterator = batches[Symbol.asyncIterator]();
  await iterator.next();
  t.equal(asked.length, 3, "the one that is used and two ahead");
  await iterator.next();
  t.equal(asked.length, 4);
  for (let left = 3; left > 0; left--) await iterator.next();
  t.equal((await iterator.next()).done, true);
  t.equal(asked.length, 5, "every batch once");
});

t.test("a source hears of images when they are taken, not when they are read ahead", async (t) => {
  const { source, taken } = streamed(9, 3);
  const numbers = Uint32Array.of(8, 1, 5, 3, 0);
  const iterator = createSplit(source, numbers).batches({ batchSize: 2 })[Symbol.asyncIterator]();
  await iterator.next();
  t.same(taken, [8, 1]);
  await iterator.next();
  t.same(taken, [8, 1, 5, 3]);
  taken.length = 0;
  const epoch = createTrainingSplit(source, numbers, 5).epoch({ epoch: 1, batchSize: 3, from: 1 });
  await epoch[Symbol.asyncIterator]().next();
  const order = [...epochOrder({ seed: 5, epoch: 1, count: 5 })].map((position) => numbers[position]);
  t.same(taken, order.slice(3), "the rest of an epoch that is resumed");
});

t.test("in the last batches of an epoch the next one is begun, and read only once", async (t) => {
  const { source, asked } = streamed(4, 2);
  const split = createTrainingSplit(source, Uint32Array.of(0, 1, 2, 3), 5);
  const first = await all(split.epoch({ epoch: 0, batchSize: 2 }));
  t.same(asked, [
    [0, 2],
    [0, 2],
    [1, 2],
    [1, 2],
  ]);
  const second = await all(split.epoch({ epoch: 1, batchSize: 2 }));
  t.same(
    asked.slice(4),
    [
      [2, 2],
      [2, 2],
    ],
    "nothing of epoch 1 is read again",
  );
  const plain = trainingSplitOf(setOf(4), setShape, 5);
  t.same(
    [first, second],
    [await all(plain.epoch({ epoch: 0, batchSize: 2 })), await all(plain.epoch({ epoch: 1, batchSize: 2 }))],
  );
});

t.test("a failure while reading ahead is told when its batch is due", async (t) => {
  const { source } = streamed(6, 3);
  let reads = 0;
  const failing: ImageSource = {
    ...source,
    read: (indices, epoch) => (reads++ === 1 ? Promise.reject(new Error("broken")) : source.read(indices, epoch)),
  };
  const iterator = createSplit(failing, Uint32Array.of(0, 1, 2))
    .batches({ batchSize: 1 })
    [Symbol.asyncIterator]();
  t.equal((await iterator.next()).done, false);
  await t.rejects(iterator.next(), /broken/);
});

t.test("the first images are those that can be read", async (t) => {
  const { source } = streamed(6, 0);
  const none = { count: 0, images: new Uint8Array(), targets: classTargets([]) };
  const damaged: ImageSource = {
    ...source,
    read: async (indices, epoch) => (indices[0]! < 4 ? none : source.read(indices, epoch)),
  };
  const numbers = Uint32Array.from({ length: 6 }, (_, index) => index);
  t.same([...(await firstImages(createSplit(damaged, numbers), 2)).targets.values], [4, 5]);
  await t.rejects(firstImages(createSplit(damaged, numbers.subarray(0, 4)), 2), /no training image could be read/);
});
