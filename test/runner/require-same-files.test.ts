import { join } from "node:path";
import t from "tap";
import { data as dataSchema } from "../../src/config/sections/data-settings.ts";
import { loadDataset } from "../../src/data/load-dataset.ts";
import { requireSameFiles } from "../../src/runner/require-same-files.ts";
import { ImageLog } from "../../src/runs/image-log.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { recordingReporter } from "../fixtures/reporter.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";
import { all } from "../fixtures/splits.ts";

const root = t.testdir();
const pictures = await writeImageFolder(join(root, "pictures"), { parts: { train: 2, val: 1 }, classes: 2, side: 16 });
const config = dataSchema.parse({ name: "folder", folder: pictures, size: 16, workers: 1 });
const dataset = await loadDataset(config, { seed: 1, reporter: recordingReporter(), targets: "classes" });
t.teardown(() => dataset.close());

const { images, ...rest } = dataset;
if (!images) throw new Error("a folder notes its images");
let asked = 0;
/** Counts how often all images are gone through for a message. */
const counted = {
  usedFrom: images.usedFrom.bind(images),
  expect: images.expect.bind(images),
  notAmong: (files: Parameters<typeof images.notAmong>[0]) => {
    asked++;
    return images.notAmong(files);
  },
};
const prepared = { networkFile: null, teaching: null, dataset: { ...rest, images: counted } };

const sample = sampleRecord();
const recordOf = (files: typeof dataset.files) => ({
  ...sample,
  network: { ...sample.network, file: null },
  data: { ...sample.data, files: [...files] },
});
const others = dataset.files.map((file) => ({ ...file, sha256: "0".repeat(64) }));
const changed = /^the data file train \(list of 4 images\) has changed since the run began .*--force$/;

t.test("images that are not used yet are listed only where a list of images has changed", async (t) => {
  await all(dataset.train.batches({ batchSize: 3 }));
  const imageLog = new ImageLog(root, null).append((count) => images.usedFrom(count).slice(0, 3));
  requireSameFiles(prepared, root, { record: recordOf(dataset.files), imageLog });
  t.equal(asked, 0, "nothing has changed");
  t.throws(() => requireSameFiles(prepared, root, { record: recordOf(others), imageLog }), {
    name: "UserError",
    message: /has changed .*\nimages here that the run has not used yet:\n( {2}\S+\n?){3}$/s,
  });
});

t.test("a run that noted no images has none that are not used yet", async (t) => {
  t.throws(() => requireSameFiles(prepared, root, { record: recordOf(others), imageLog: undefined }), {
    name: "UserError",
    message: changed,
  });
});
