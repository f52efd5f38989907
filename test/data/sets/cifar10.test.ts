import t from "tap";
import { messageOf } from "../../../src/core/errors.ts";
import { silent } from "../../../src/core/progress.ts";
import { fetchCifar10, loadCifar10 } from "../../../src/data/sets/cifar10.ts";
import { classNames } from "../../fixtures/tasks.ts";

const offline = await fetchCifar10(silent).then(
  () => false as const,
  (error: unknown) => messageOf(error),
);

t.test("the real CIFAR-10", { skip: offline }, async (t) => {
  const { train, test, imageShape, targets } = await loadCifar10(undefined, silent);
  t.same([train.count, test.count, ...imageShape], [50000, 10000, 32, 32, 3]);
  // The first images as everybody knows them: frog, truck, truck, deer, car; cat, ship, ship, plane, frog.
  t.same(
    [...train.targets.values.subarray(0, 5)].map((label) => classNames(targets)[label]),
    ["frog", "truck", "truck", "deer", "automobile"],
  );
  t.same([...test.targets.values.subarray(0, 5)], [3, 8, 8, 0, 6]);
  t.same([...train.images.subarray(0, 3)], [59, 62, 63]);
  t.same([...test.images.subarray(0, 3)], [158, 112, 49]);
  for (const labels of [[...train.targets.values], [...test.targets.values]]) {
    t.equal(labels.filter((label) => label === 9).length, labels.length / 10, "the classes have equally many images");
  }
  let red = 0;
  for (let at = 0; at < train.images.length; at += 3) red += train.images[at]!;
  t.ok(Math.abs(red / (train.images.length / 3) / 255 - 0.4914) < 1e-4, "the mean red is the published 0.4914");
});
