import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parseData } from "../../src/config/parse-config.ts";
import { UsageError, UserError } from "../../src/core/errors.ts";
import { readModel } from "../../src/onnx/onnx-model.ts";
import { findData } from "../../src/preview/find-data.ts";
import { writeImageFolder } from "../fixtures/image-folder.ts";
import { npyImages, npyLabels, npz } from "../fixtures/npy.ts";
import { bytesOf } from "../fixtures/onnx/files.ts";

const root = t.testdir();
const write = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(root, name), bytes);
  return join(root, name);
};
const images = npyImages([6, 4, 5, 3]);
const labels = npyLabels(6);

t.test("a folder of classes gets a share for tests, and the size of the network or its own", async (t) => {
  const folder = await writeImageFolder(join(root, "classes"), { parts: { "": 4 }, classes: 2, side: 48 });
  const own = await findData(folder, null);
  t.strictSame(own.settings, {
    ...{ name: "folder", folder, testShare: 0.2, size: 32, channels: 3 },
    resize: { fit: "stretch" },
  });
  t.strictSame(own.notes, ["images of 48 × 60 in the middle become 32 × 32"]);
  const gray = await findData(folder, readModel(bytesOf("pytorch-cnn-legacy"), "it.onnx"));
  t.match(gray.settings, { size: [28, 28], channels: 1, resize: { fit: "stretch" } });
  t.doesNotThrow(() => parseData(gray.settings));
});

t.test("a folder with parts has its own tests; photographs are cut", async (t) => {
  const folder = await writeImageFolder(join(root, "parts"), { parts: { train: 2, val: 2 }, classes: 2, side: 130 });
  const { settings } = await findData(folder, null);
  t.strictSame(settings, { name: "folder", folder, size: 128, channels: 3 });
});

t.test("arrays: both parts in one file, in two, or one part alone", async (t) => {
  const both = write("both.npz", npz({ x_train: images, y_train: labels, x_test: images, y_test: labels }));
  t.strictSame(await findData(both, null), { settings: { name: "npz", train: both, test: both }, notes: [] });
  const alone = write("alone.npz", npz({ images, labels }));
  t.match((await findData(alone, null)).notes, [/no part for tests \(test_images\): it is tested on the images/]);
  const train = write("train.npz", npz({ images, labels }));
  const test = write("test.npz", npz({ images, labels }));
  t.strictSame(await findData(train, null), { settings: { name: "npz", train, test }, notes: [`tested on ${test}`] });
});

t.test("a known data set goes by its name; all else is told what is expected", async (t) => {
  t.strictSame((await findData("fashion-mnist", null)).settings, { name: "fashion-mnist" });
  for (const [given, why] of [
    ["mnits", "there is nothing of that name"],
    [write("notes.txt", Buffer.from("x")), "it is none of these"],
  ] as const) {
    const error = await findData(given, null).catch((reason: unknown) => reason);
    t.type(error, UsageError);
    t.equal(
      (error as Error).message,
      `--data ${given}: ${why}: expected a folder of images, a .npz file, mnist, fashion-mnist, cifar10`,
    );
  }
  mkdirSync(join(root, "empty"));
  await t.rejects(findData(join(root, "empty"), null), UserError);
});
