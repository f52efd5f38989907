import fc from "fast-check";
import t from "tap";
import { UsageError } from "../../src/core/errors.ts";
import { firstIndices, holdOut } from "../../src/data/split.ts";

t.test("the held-out share and the rest are disjoint and complete, each in the images' own order", async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 200 }),
        fc.double({ min: 0.2, max: 0.5, noNaN: true }),
        fc.nat(),
        (count, share, seed) => {
          const all = firstIndices(count).map((index) => 3 * index);
          const { train, validation } = holdOut(all, { share, seed });
          const ordered = [train, validation!].every((part) => part.join() === part.toSorted().join());
          return (
            ordered &&
            validation!.length === Math.round(count * share) &&
            [...train, ...validation!].sort((a, b) => a - b).join() === all.join()
          );
        },
      ),
      { seed: 1 },
    ),
  );
});

t.test("the seed fixes what is held out", async (t) => {
  const held = (seed: number) => holdOut(firstIndices(100), { share: 0.1, seed }).validation!.join();
  t.equal(held(1), held(1));
  t.not(held(1), held(2));
});

t.test("nothing is held out with a share of 0", async (t) => {
  const { train, validation } = holdOut(firstIndices(5), { share: 0, seed: 1 });
  t.same([...train], [0, 1, 2, 3, 4]);
  t.equal(validation, null);
});

t.test("a share that leaves a part empty is refused", async (t) => {
  const tooSmall = t.throws(
    () => holdOut(firstIndices(100), { share: 0.001, seed: 1 }),
    /data\.validationShare: 0\.001 of 100 /,
  );
  t.type(tooSmall, UsageError);
  t.throws(() => holdOut(firstIndices(1), { share: 0.5, seed: 1 }), /leaves 0 to train on and 1 to validate on/);
});

t.test("a limit takes the first images, or all", async (t) => {
  t.same([...firstIndices(5, 2)], [0, 1]);
  for (const limit of [5, 9, undefined]) t.equal(firstIndices(5, limit).length, 5);
});
