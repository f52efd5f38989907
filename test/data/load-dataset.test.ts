import { join } from "node:path";
import t from "tap";
import { data as dataSchema } from "../../src/config/sections/data-settings.ts";
import { silent } from "../../src/core/progress.ts";
import type { Split } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/load-dataset.ts";
import { idxBytes, idxLabels, writeIdxFolder } from "../fixtures/idx.ts";
import { withoutMnist } from "../fixtures/real-mnist.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { all, whole } from "../fixtures/splits.ts";

const root = t.testdir();
const folder = writeIdxFolder(join(root, "digits"), { train: 50, test: 20 });
const load = (settings: Record<string, unknown>, seed = 1) =>
  loadDataset(dataSchema.parse({ name: "mnist", folder, ...settings }), { seed, reporter: silent, targets: "classes" });

t.test("a user's folder is read whatever its checksums, and they are recorded", async (t) => {
  const dataset = await load({});
  t.match(dataset, {
    name: "mnist",
    imageShape: [4, 4, 1],
    targets: { kind: "classes", names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] },
    normalization: { mean: [0], deviation: [1] },
    train: { count: 50 },
    validation: null,
    test: { count: 20 },
  });
  t.equal(dataset.files.length, 4);
  for (const { sha256 } of dataset.files) t.match(sha256, /^[0-9a-f]{64}$/);
  t.same(dataset.damaged(), []);
});

t.test("the limit comes before the held-out share, which the seed fixes", async (t) => {
  const settings = { validationShare: 0.25, limit: { train: 40, test: 5 } };
  const pixels = async (split: Split | null) => (await whole(split!)).images.join();
  const { train, validation, test } = await load(settings);
  t.same([train.count, validation?.count, test.count], [30, 10, 5]);
  t.equal((await whole(train)).images.length, 30 * 16);
  t.equal(await pixels((await load(settings)).validation), await pixels(validation));
  t.not(await pixels((await load(settings, 2)).validation), await pixels(validation));
});

t.test("augmentation changes what training sees, by seed and epoch, and nothing else", async (t) => {
  const settings = { augmentation: { crop: { padding: 1 }, flip: true } };
  const plain = await load({});
  const { train, test } = await load(settings);
  const epoch = async (number: number, split = train) => all(split.epoch({ epoch: number, batchSize: 50 }));
  t.same(await whole(train), await whole(plain.train), "evaluation sees the images as they are");
  t.same(await whole(test), await whole(plain.test));
  const first = await epoch(0);
  t.same(
    first.map(({ targets }) => targets),
    (await epoch(0, plain.train)).map(({ targets }) => targets),
    "in the same order",
  );
  t.notSame(first, await epoch(0, plain.train));
  t.same(await epoch(0), first);
  t.same(await epoch(0, (await load(settings)).train), first);
  t.notSame(await epoch(0, (await load(settings, 2)).train), first);
});

t.test("normalization is given, usual or measured", async (t) => {
  const given = { mean: [0.2], deviation: [0.4] };
  t.same((await load({ normalization: given })).normalization, given);
  // Two images of 2 x 2, one black and one white.
  const two = writeIdxFolder(
    join(root, "two"),
    { train: 2, test: 2 },
    {
      "train-images-idx3-ubyte": idxBytes([2, 2, 2], Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255)),
      "t10k-images-idx3-ubyte": idxBytes([2, 2, 2], new Uint8Array(8)),
      "train-labels-idx1-ubyte": idxLabels(2),
    },
  );
  t.same((await load({ folder: two, normalization: "measured" })).normalization, { mean: [0.5], deviation: [0.5] });
  await t.rejects(
    load({ normalization: { mean: [0, 0, 0], deviation: [1, 1, 1] } }),
    /data\.normalization: 3 means and deviations, but the images have 1 channel$/,
  );
  const black = idxBytes([2, 2, 2], new Uint8Array(8));
  writeIdxFolder(two, { train: 2, test: 2 }, { "train-images-idx3-ubyte": black, "t10k-images-idx3-ubyte": black });
  await t.rejects(load({ folder: two, normalization: "measured" }), /channel 0 has the same value in every pixel/);
});

t.test("a data set of classes has no values to learn", (t) =>
  t.rejects(
    loadDataset(dataSchema.parse({ name: "mnist" }), { seed: 1, reporter: silent, targets: "values" }),
    /task\.name: .* images of data\.name mnist have classes; use data\.name npz/,
  ),
);

const offline = await withoutMnist();

t.test("the real MNIST", { skip: offline }, async (t) => {
  const { infos, ...reporter } = recordingReporter();
  const { train, test, imageShape, normalization } = await loadDataset(
    dataSchema.parse({ name: "mnist", normalization: "measured" }),
    { seed: 1, reporter, targets: "classes" },
  );
  t.same([train.count, test.count, ...imageShape], [60000, 10000, 28, 28, 1]);
  t.same(infos, [], "what is in the cache is not fetched");
  const [first] = await all(train.batches({ batchSize: 10, limit: 10 }));
  // The first ten training labels, as everybody knows them.
  t.same([...first!.targets.values], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  const { targets } = await whole(test);
  t.same([...targets.values.subarray(0, 5)], [7, 2, 1, 0, 4]);
  t.equal([...targets.values].filter((label) => label === 0).length, 980);
  t.ok(Math.abs(normalization!.mean[0]! - 0.1307) < 1e-4, `the published mean pixel: ${normalization!.mean}`);
  t.ok(Math.abs(normalization!.deviation[0]! - 0.3081) < 1e-4, `the published deviation: ${normalization!.deviation}`);
});
