import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { findIdxFiles, readIdxSplits } from "../../../src/data/formats/idx-folder.ts";
import { idxBytes, idxImages, idxLabels, writeIdxFolder } from "../../fixtures/idx.ts";

const root = t.testdir();
const sizes = { train: 30, test: 20 };
const folderWith = (name: string, changed: Readonly<Record<string, Uint8Array | null>>) =>
  writeIdxFolder(join(root, name), sizes, changed);
const read = (folder: string) => readIdxSplits(findIdxFiles(folder), 10);

t.test("the four files become two splits", async (t) => {
  const { imageShape, train, test, files } = await read(folderWith("plain", {}));
  t.same(imageShape, [4, 4, 1]);
  t.same([train.count, test.count], [30, 20]);
  t.equal(train.images.length, 30 * 16);
  t.same([...test.targets.values.subarray(8, 12)], [8, 9, 0, 1]);
  t.same(
    files.map(({ name, bytes }) => [name, bytes]),
    [
      ["train-images-idx3-ubyte", 496],
      ["train-labels-idx1-ubyte", 38],
      ["t10k-images-idx3-ubyte", 336],
      ["t10k-labels-idx1-ubyte", 28],
    ],
  );
});

t.test("names with a dot, and gzipped files, are found too", async (t) => {
  const folder = folderWith("names", {
    "train-images-idx3-ubyte": null,
    "train-images.idx3-ubyte": idxImages(30),
    "train-labels-idx1-ubyte": null,
    "train-labels.idx1-ubyte.gz": gzipSync(idxLabels(30)),
    "t10k-images-idx3-ubyte": null,
    "t10k-images-idx3-ubyte.gz": gzipSync(idxImages(20)),
  });
  // Some archives put each file into a folder of its own name: that is not the file.
  mkdirSync(join(folder, "t10k-images-idx3-ubyte"));
  const { train, test } = await read(folder);
  t.same([train.count, test.count], [30, 20]);
});

t.test("a folder that is missing or incomplete is refused, with all that it lacks", async (t) => {
  t.throws(() => findIdxFiles(join(root, "nowhere")), /data\.folder .*nowhere: there is no such folder/);
  t.throws(() => findIdxFiles(join(folderWith("file", {}), "t10k-images-idx3-ubyte")), /it is not a folder/);
  const below = join(root, "file", "t10k-images-idx3-ubyte", "below");
  t.throws(() => findIdxFiles(below), /cannot read data\.folder: ENOTDIR.*below/);
  const folder = folderWith("incomplete", { "train-images-idx3-ubyte": null, "t10k-labels-idx1-ubyte": null });
  t.throws(() => findIdxFiles(folder), /it lacks train-images-idx3-ubyte, t10k-labels-idx1-ubyte \(/);
});

t.test("files that do not belong together are refused", async (t) => {
  await t.rejects(
    read(folderWith("counts", { "train-labels-idx1-ubyte": idxLabels(29) })),
    /train-labels-idx1-ubyte has 29 labels at offset 4, .*train-images-idx3-ubyte has 30 images at offset 4/,
  );
  await t.rejects(
    read(folderWith("shapes", { "t10k-images-idx3-ubyte": idxImages(20, 4, 5) })),
    /t10k-images-idx3-ubyte has images of 4 x 5 x 1 at offset 8, .*train-images-idx3-ubyte of 4 x 4 x 1/,
  );
  await t.rejects(
    read(folderWith("classes", { "t10k-labels-idx1-ubyte": idxBytes([20], new Uint8Array(20).fill(10, 19)) })),
    /t10k-labels-idx1-ubyte: label 10 of image 19 at offset 27, expected 0 to 9/,
  );
});
