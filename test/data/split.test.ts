import fc from "fast-check";
import t from "tap";
import { UsageError } from "../../src/base/errors.ts";
import type { ImageSet } from "../../src/data/dataset.ts";
import { holdOut, limited } from "../../src/data/split.ts";

/** Images of one pixel, with their index as label. */
const setOf = (count: number): ImageSet => ({
  count,
  images: Uint8Array.from({ length: count }, (_, index) => index),
  labels: Int32Array.from({ length: count }, (_, index) => index),
});

t.test("the held-out share and the rest are disjoint and complete, each in the set's own order", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 200 }),
        fc.double({ min: 0.2, max: 0.5, noNaN: true }),
        fc.nat(),
        (count, share, seed) => {
          const { train, validation } = holdOut(setOf(count), { share, seed });
          const both = [...train.labels, ...validation!.labels];
          const ordered = [train, validation!].every(
            ({ labels }) => labels.join() === [...labels].sort((a, b) => a - b).join(),
          );
          return (
            ordered &&
            validation!.count === Math.round(count * share) &&
            validation!.images.length === validation!.count &&
            both.sort((a, b) => a - b).every((label, index) => label === index) &&
            both.length === count
          );
        },
      ),
      { seed: 1 },
    ),
  );
});

t.test("the seed fixes what is held out", async (t) => {
  const held = (seed: number) => holdOut(setOf(100), { share: 0.1, seed }).validation!.labels.join();
  t.equal(held(1), held(1));
  t.not(held(1), held(2));
});

t.test("nothing is held out, and nothing copied, with a share of 0", async (t) => {
  const set = setOf(5);
  const { train, validation } = holdOut(set, { share: 0, seed: 1 });
  t.equal(train, set);
  t.equal(validation, null);
});

t.test("a share that leaves a part empty is refused", async (t) => {
  const tooSmall = t.throws(
    () => holdOut(setOf(100), { share: 0.001, seed: 1 }),
    /data\.validationShare: 0\.001 of 100 /,
  );
  t.type(tooSmall, UsageError);
  t.throws(() => holdOut(setOf(1), { share: 0.5, seed: 1 }), /leaves 0 to train on and 1 to validate on/);
});

t.test("a limit takes the first images, or all", async (t) => {
  const set = setOf(5);
  t.same(limited(set, 2), { count: 2, images: Uint8Array.of(0, 1), labels: Int32Array.of(0, 1) });
  t.equal(limited(set, 5), set);
  t.equal(limited(set, 9), set);
  t.equal(limited(set, undefined), set);
});
