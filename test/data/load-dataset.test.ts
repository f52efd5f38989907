import { join } from "node:path";
import t from "tap";
import { silent } from "../../src/base/progress.ts";
import { loadDataset } from "../../src/data/load-dataset.ts";
import { writeIdxFolder } from "../fixtures/idx.ts";
import { withoutMnist } from "../fixtures/real-mnist.ts";
import { recordingReporter } from "../fixtures/reporter.ts";

const folder = writeIdxFolder(join(t.testdir(), "digits"), { train: 50, test: 20 });
const options = { seed: 1, reporter: silent };

t.test("a user's folder is read whatever its checksums, and they are recorded", async (t) => {
  const dataset = await loadDataset({ name: "mnist", folder, validationShare: 0 }, options);
  t.match(dataset, {
    name: "mnist",
    imageShape: [4, 4, 1],
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    normalization: { mean: [0], deviation: [1] },
    train: { count: 50 },
    validation: null,
    test: { count: 20 },
  });
  t.equal(dataset.files.length, 4);
  for (const { sha256 } of dataset.files) t.match(sha256, /^[0-9a-f]{64}$/);
});

t.test("the limit comes before the held-out share, which the seed fixes", async (t) => {
  const load = async (seed: number) => {
    const limit = { train: 40, test: 5 };
    return loadDataset({ name: "mnist", folder, validationShare: 0.25, limit }, { ...options, seed });
  };
  const { train, validation, test } = await load(1);
  t.same([train.count, validation?.count, test.count], [30, 10, 5]);
  t.equal(train.images.length, 30 * 16);
  t.same((await load(1)).validation, validation);
  t.notSame((await load(2)).validation, validation);
});

const offline = await withoutMnist();

t.test("the real MNIST", { skip: offline }, async (t) => {
  const { infos, ...reporter } = recordingReporter();
  const { train, test, imageShape } = await loadDataset({ name: "mnist", validationShare: 0 }, { seed: 1, reporter });
  t.same([train.count, test.count, ...imageShape], [60000, 10000, 28, 28, 1]);
  t.same(infos, [], "what is in the cache is not fetched");
  // The first ten training labels, as everybody knows them.
  t.same([...train.labels.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  t.same([...test.labels.subarray(0, 5)], [7, 2, 1, 0, 4]);
  const zeros = test.labels.filter((label) => label === 0).length;
  t.equal(zeros, 980);
  const mean = train.images.reduce((sum, pixel) => sum + pixel, 0) / train.images.length / 255;
  t.ok(Math.abs(mean - 0.1307) < 1e-4, `the mean pixel is the published 0.1307: ${mean}`);
});
