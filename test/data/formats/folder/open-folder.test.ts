import { rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { data as dataSchema } from "../../../../src/config/sections/data-settings.ts";
import { UserError } from "../../../../src/core/errors.ts";
import { loadDataset } from "../../../../src/data/load-dataset.ts";
import { truncate, writeImageFolder } from "../../../fixtures/image-folder.ts";
import { recordingReporter } from "../../../fixtures/reporter.ts";
import { all } from "../../../fixtures/splits.ts";
import { classNames } from "../../../fixtures/tasks.ts";

const root = t.testdir();
const folder = await writeImageFolder(join(root, "pictures"), { parts: { train: 12, val: 4 }, classes: 5, side: 24 });
const damaged = await writeImageFolder(join(root, "damaged"), { parts: { train: 4, val: 2 }, classes: 3, side: 24 });
truncate(join(damaged, "train", "class-1", "2.jpg"));
rmSync(join(damaged, "val", "class-2", "1.png"));
truncate(join(damaged, "val", "class-0", "0.jpg"), 0);

async function open(place: string, settings: Record<string, unknown> = {}, seed = 1) {
  const reporter = recordingReporter();
  const config = dataSchema.parse({ name: "folder", folder: place, size: 16, workers: 1, ...settings });
  const dataset = await loadDataset(config, { seed, reporter, targets: "classes" });
  t.teardown(() => dataset.close());
  return { ...dataset, reporter };
}

t.test("a folder is a data set as any other", async (t) => {
  const { train, test, targets, imageShape, validation, normalization, files } = await open(folder);
  t.same([train.count, test.count, validation, ...imageShape], [60, 20, null, 16, 16, 3]);
  t.same(classNames(targets), ["class-0", "class-1", "class-2", "class-3", "class-4"]);
  t.equal(normalization?.mean[0], 0.485);
  t.equal(files.length, 2);
  const batches = await all(test.batches({ batchSize: 8 }));
  t.same(
    batches.flatMap(({ targets }) => [...targets.values]),
    [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
  );
  t.same(
    batches.map(({ images }) => images.length),
    [8 * 768, 8 * 768, 4 * 768],
  );
});

t.test("an epoch is the same for any number of threads, and when it is resumed", async (t) => {
  const settings = { augmentation: { randomResizedCrop: {}, crop: { padding: 2 }, flip: true } };
  const [one, two] = [await open(folder, settings), await open(folder, { ...settings, workers: 2 })];
  const first = await all(one.train.epoch({ epoch: 2, batchSize: 25 }));
  t.equal(first.length, 3);
  t.same(await all(two.train.epoch({ epoch: 2, batchSize: 25 })), first);
  t.same(await all(two.train.epoch({ epoch: 2, batchSize: 25, from: 1 })), first.slice(1));
});

t.test("a held-out share, a limit, gray images and measured statistics work here too", async (t) => {
  const { train, validation, test, normalization } = await open(folder, {
    validationShare: 0.2,
    limit: { train: 50, test: 7 },
    channels: 1,
    normalization: "measured",
    resize: { fit: "stretch" },
  });
  t.same([train.count, validation?.count, test.count], [40, 10, 7]);
  t.equal(normalization?.mean.length, 1);
  t.ok(normalization!.mean[0]! > 0.2 && normalization!.mean[0]! < 0.5, `mean ${normalization!.mean}`);
  const [batch] = await all(validation!.batches({ batchSize: 100 }));
  t.equal(batch!.images.length, 10 * 256);
});

t.test("a damaged image stops a run, with its name", async (t) => {
  const { train, test } = await open(damaged);
  const error: unknown = await all(train.epoch({ epoch: 0, batchSize: 4 })).catch((reason: unknown) => reason);
  t.type(error, UserError);
  t.match((error as Error).message, /^cannot read 1 image:\n {2}.*train\/class-1\/2\.jpg: .+\n.*data\.onError: skip$/);
  await t.rejects(all(test.batches({ batchSize: 10 })), /val\/class-0\/0\.jpg: neither JPEG nor PNG: it is empty/);
});

t.test("or is left out everywhere, and named once", async (t) => {
  const { train, test, reporter, damaged: names } = await open(damaged, { onError: "skip" });
  const sizes = async (epoch: number) =>
    (await all(train.epoch({ epoch, batchSize: 4 }))).map(({ images, count }) => [count, images.length / 768]);
  for (const epoch of [0, 1]) {
    const found = await sizes(epoch);
    t.equal(
      found.reduce((sum, [count]) => sum + count!, 0),
      11,
    );
    t.ok(found.every(([count, images]) => count === images));
  }
  const tested = await all(test.batches({ batchSize: 10 }));
  t.same([...tested[0]!.targets.values], [1, 2, 0, 1], "the others stay in their order");
  const single = await all(test.batches({ batchSize: 1 }));
  t.equal(single[0]!.count, 0, "a batch may be left with none");
  t.match(reporter.warnings, [/^left out .*class-1\/2\.jpg: /, /^left out .*class-0\/0\.jpg: neither JPEG nor PNG/]);
  t.match(names(), [/train\/class-1\/2\.jpg$/, /val\/class-0\/0\.jpg$/]);
});

t.test("a folder's own validation images and a share of the training images exclude each other", async (t) => {
  const three = await writeImageFolder(join(root, "three"), {
    parts: { train: 2, val: 1, test: 1 },
    classes: 2,
    side: 16,
  });
  t.equal((await open(three)).validation?.count, 2);
  await t.rejects(open(three, { validationShare: 0.5 }), /data\.validationShare: the folder has validation images/);
});

t.test("once closed, it reads no more", async (t) => {
  const { test, close } = await open(folder);
  await close();
  await t.rejects(all(test.batches({ batchSize: 5 })), /cannot read images: a reading thread has ended/);
});
