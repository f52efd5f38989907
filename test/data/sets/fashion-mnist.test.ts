import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { loadFashionMnist } from "../../../src/data/sets/fashion-mnist.ts";
import { idxImages, writeIdxFolder } from "../../fixtures/idx.ts";
import { classNames } from "../../fixtures/tasks.ts";

const installed = existsSync("/usr/share/datasets/fashion-mnist");
const missing = !installed && process.env.BAYESIAN_BITS_REQUIRE_FASHION_MNIST === undefined;

t.test("any folder with the four files, gzipped or not", async (t) => {
  const folder = writeIdxFolder(
    join(t.testdir(), "clothes"),
    { train: 20, test: 10 },
    {
      "train-images-idx3-ubyte": null,
      "train-images-idx3-ubyte.gz": gzipSync(idxImages(20)),
    },
  );
  const { targets, normalization, train } = await loadFashionMnist(folder);
  t.same(
    [train.count, classNames(targets)[9], normalization],
    [20, "Ankle boot", { mean: [0.286], deviation: [0.353] }],
  );
});

t.test("without folder and package, it says how to get the files", { skip: installed && "the package is there" }, (t) =>
  t.rejects(loadFashionMnist(undefined), /install Debian's package dataset-fashion-mnist, or name a folder/),
);

t.test("the real Fashion-MNIST", { skip: missing && "Debian's dataset-fashion-mnist is not there" }, async (t) => {
  const { train, test, imageShape, normalization } = await loadFashionMnist(undefined);
  t.same([train.count, test.count, ...imageShape], [60000, 10000, 28, 28, 1]);
  // The first ten training labels as they are published.
  t.same([...train.targets.values.subarray(0, 10)], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
  t.equal([...test.targets.values].filter((label) => label === 0).length, 1000);
  const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length / 255;
  t.ok(Math.abs(mean - normalization!.mean[0]!) < 1e-3, `the mean pixel: ${mean}`);
});
