import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { data as dataSchema } from "../../../../src/config/sections/data-settings.ts";
import { loadDataset } from "../../../../src/data/load-dataset.ts";
import { writeImageFolder } from "../../../fixtures/image-folder.ts";
import { recordingReporter } from "../../../fixtures/reporter.ts";
import { all } from "../../../fixtures/splits.ts";

const root = t.testdir();
const folder = await writeImageFolder(join(root, "pictures"), { parts: { train: 3, val: 2 }, classes: 2, side: 16 });
const place = (name: string) => join(folder, ...name.split("/"));
const contentOf = (name: string) => {
  const bytes = readFileSync(place(name));
  return { name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
};

async function open(settings: Record<string, unknown> = {}) {
  const reporter = recordingReporter();
  const config = dataSchema.parse({ name: "folder", folder, size: 16, workers: 2, ...settings });
  const { images, ...dataset } = await loadDataset(config, { seed: 1, reporter, targets: "classes" });
  t.teardown(() => dataset.close());
  return { ...dataset, images: images!, reporter };
}

/** Lets `work` see a folder in which some files hold something else; null: they are gone. */
async function withOthers(files: Readonly<Record<string, Buffer | null>>, work: () => Promise<unknown>) {
  const originals = Object.keys(files).map((name) => [name, readFileSync(place(name))] as const);
  try {
    for (const [name, bytes] of Object.entries(files))
      if (bytes === null) rmSync(place(name));
      else writeFileSync(place(name), bytes);
    await work();
  } finally {
    for (const [name, bytes] of originals) writeFileSync(place(name), bytes);
  }
}

/** Decodes as before, and is as long: a byte behind its end is another. */
const name = "train/class-1/2.jpg";
const original = readFileSync(place(name));
const padded = (last: number) => Buffer.concat([original, Buffer.from([last])]);
writeFileSync(place(name), padded(1));

t.test("what was used is told in the order of first use, with length and checksum", async (t) => {
  const { train, test, images } = await open();
  t.same(images.usedFrom(0), [], "nothing was read");
  const batches = train.batches({ batchSize: 4 })[Symbol.asyncIterator]();
  await batches.next();
  const first = ["train/class-0/0.jpg", "train/class-1/0.jpg", "train/class-0/1.png", "train/class-1/1.png"];
  t.same(images.usedFrom(0), first.map(contentOf), "what was read ahead is none of it");
  await all(train.epoch({ epoch: 0, batchSize: 2 }));
  await all(test.batches({ batchSize: 3 }));
  t.equal(images.usedFrom(0).length, 10, "each file once");
  t.same(
    images.usedFrom(6),
    ["val/class-0/0.jpg", "val/class-1/0.jpg", "val/class-0/1.png", "val/class-1/1.png"].map(contentOf),
  );
});

const changed = (path: string) => ({
  name: "UserError",
  message: new RegExp(
    `^the data file .*${path} has changed since the run began \\(SHA-256 \\w{64}, now SHA-256 \\w{64}\\)`,
  ),
});

t.test("a file that holds something else in a later epoch is refused by its name", async (t) => {
  const { train } = await open();
  await all(train.batches({ batchSize: 6 }));
  await withOthers({ [name]: padded(2) }, () => t.rejects(all(train.epoch({ epoch: 1, batchSize: 6 })), changed(name)));
});

t.test("one that is damaged since is no damage to be left out", async (t) => {
  const { train, reporter } = await open({ onError: "skip" });
  await all(train.batches({ batchSize: 6 }));
  await withOthers({ [name]: original.subarray(0, 300) }, () =>
    t.rejects(all(train.epoch({ epoch: 1, batchSize: 6 })), changed(name)),
  );
  t.same(reporter.warnings, []);
});

t.test("nor is one that can no longer be read, used in this session or in one before", async (t) => {
  const gone = {
    name: "UserError",
    message: new RegExp(
      `^the data file .*${name} has changed since the run began \\(SHA-256 \\w{64}, now it cannot be read: ENOENT.*\\): put it back`,
    ),
  };
  for (const onError of ["skip", "fail"]) {
    const { train, images, reporter } = await open({ onError });
    await all(train.batches({ batchSize: 6 }));
    const later = await open({ onError });
    later.images.expect(images.usedFrom(0));
    await withOthers({ [name]: null }, async () => {
      await t.rejects(all(train.epoch({ epoch: 1, batchSize: 6 })), gone, onError);
      await t.rejects(all(later.train.epoch({ epoch: 1, batchSize: 6 })), gone, `${onError}, later`);
    });
    t.same(reporter.warnings, []);
  }
});

t.test("what a run has used is held against what is read later, was read before, or is gone", async (t) => {
  const { train, test, images: before } = await open();
  await all(train.batches({ batchSize: 6 }));
  await all(test.batches({ batchSize: 4 }));
  const used = before.usedFrom(0);
  await withOthers({ [name]: padded(2) }, async () => {
    const { train, images } = await open();
    images.expect(used);
    await t.rejects(all(train.batches({ batchSize: 6 })), changed(name), "read later");
    const early = await open();
    await all(early.train.batches({ batchSize: 6 }));
    t.throws(() => early.images.expect(used), changed(name), "read before");
  });
  const longer = /class-1\/2\.jpg has changed since the run began \((\d+) bytes, now \d+ bytes\)/;
  await withOthers({ [name]: Buffer.concat([padded(1), padded(1)]) }, async () => {
    const { images } = await open();
    t.throws(() => images.expect(used), { message: longer }, "its length is enough");
  });
  await withOthers({ "val/class-0/0.jpg": null, "train/class-0/1.png": null }, async () => {
    const { images } = await open();
    const gone =
      /^images are gone that the run has used \(2\):\n {2}.*train\/class-0\/1\.png\n {2}.*val\/class-0\/0\.jpg\n/;
    t.throws(() => images.expect(used), { name: "UserError", message: gone });
  });
});

t.test("what a run has used counts as used first, in its order", async (t) => {
  const { train, test, images } = await open();
  await all(test.batches({ batchSize: 4 }));
  const used = ["train/class-1/1.png", "val/class-1/0.jpg"].map(contentOf);
  images.expect(used);
  t.same(images.usedFrom(0).slice(0, 2), used);
  t.equal(images.usedFrom(2).length, 3);
  await all(train.batches({ batchSize: 2 }));
  t.equal(images.usedFrom(0).length, 10);
  t.same(images.notAmong(used).length, 8);
  t.notOk(images.notAmong(used).includes("val/class-1/0.jpg"));
});

t.test("a file that cannot be read holds nothing, and may be read later", async (t) => {
  const { train, images, reporter } = await open({ onError: "skip" });
  await withOthers({ [name]: null }, () => all(train.batches({ batchSize: 6 })));
  t.equal(images.usedFrom(0).length, 5);
  t.match(reporter.warnings, [/^left out .*class-1\/2\.jpg: ENOENT/]);
  await all(train.epoch({ epoch: 0, batchSize: 6 }));
  t.same(images.usedFrom(5), [contentOf(name)]);
});
