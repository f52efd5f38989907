import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cifar10Layout, cifar100Layout } from "../../../src/data/formats/cifar-binary.ts";
import { type CifarFiles, readCifarFolder } from "../../../src/data/formats/cifar-folder.ts";
import { cifarBytes, writeCifarFolder } from "../../fixtures/cifar.ts";
import { sha256Of } from "../../fixtures/registry.ts";

const root = t.testdir();
const small: CifarFiles = {
  layout: cifar10Layout,
  archiveFolder: "archive",
  train: ["a.bin", "b.bin"],
  test: ["t.bin"],
  imagesPerFile: { train: 12, test: 3 },
};
const folderWith = (name: string, changed: Readonly<Record<string, Uint8Array | null>> = {}) =>
  writeCifarFolder(join(root, name), small, changed);

t.test("the files become two parts, channels last, one after the other", async (t) => {
  const { imageShape, train, test, files } = readCifarFolder(folderWith("plain"), small);
  t.same(imageShape, [32, 32, 3]);
  t.same([train.count, test.count, train.images.length], [24, 3, 24 * 3072]);
  t.same([...train.targets.values.subarray(9, 14)], [9, 0, 1, 0, 1], "the second file begins again");
  const pixel = (image: number, at: number) => [
    ...train.images.subarray(image * 3072 + 3 * at, image * 3072 + 3 * at + 3),
  ];
  t.same(pixel(0, 0), [0, 100, 0]);
  t.same(pixel(3, 33), [3, 103, 33]);
  t.same(pixel(23, 1023), [11, 111, 255]);
  t.same(
    files.map(({ name, bytes, sha256 }) => [name, bytes, sha256]),
    [
      ["a.bin", 12 * 3073, sha256Of(cifarBytes(12))],
      ["b.bin", 12 * 3073, sha256Of(cifarBytes(12))],
      ["t.bin", 3 * 3073, sha256Of(cifarBytes(3))],
    ],
  );
});

t.test("the archive's own folder is found inside the one that is named", async (t) => {
  writeCifarFolder(join(root, "outer", "archive"), small);
  t.equal(readCifarFolder(join(root, "outer"), small).train.count, 24);
});

t.test("of two labels, the class is learned and both are checked", async (t) => {
  const files = { ...small, layout: cifar100Layout };
  const folder = writeCifarFolder(join(root, "hundred"), files);
  const { test } = readCifarFolder(folder, files);
  t.same([...test.targets.values], [0, 1, 2]);
  t.equal(test.images[1], 100);
  const wrong = cifarBytes(3, 2);
  wrong[2 * 3074] = 20;
  writeCifarFolder(join(root, "hundred"), files, { "t.bin": wrong });
  t.throws(() => readCifarFolder(folder, files), /t\.bin: label 20 of image 2 at offset 6148, expected 0 to 19/);
});

t.test("damaged files are refused with the place of the damage", async (t) => {
  const cut = folderWith("cut", { "b.bin": cifarBytes(12).subarray(0, 5000) });
  t.throws(() => readCifarFolder(cut, small), /b\.bin: truncated at offset 5000: expected 36876 bytes, has 5000/);
  const long = folderWith("long", { "t.bin": cifarBytes(4) });
  t.throws(() => readCifarFolder(long, small), /t\.bin: trailing bytes at offset 9219: expected 9219 bytes, has 12292/);
  const label = cifarBytes(12);
  label[3073 * 5] = 10;
  t.throws(
    () => readCifarFolder(folderWith("label", { "a.bin": label }), small),
    /a\.bin: label 10 of image 5 at offset 15365, expected 0 to 9/,
  );
});

t.test("a folder that is missing or incomplete is refused, with all that it lacks", async (t) => {
  t.throws(() => readCifarFolder(join(root, "nowhere"), small), /data\.folder .*nowhere: there is no such folder/);
  t.throws(() => readCifarFolder(join(folderWith("file"), "a.bin"), small), /it is not a folder/);
  const incomplete = folderWith("incomplete", { "a.bin": null, "t.bin": null });
  mkdirSync(join(incomplete, "a.bin"));
  t.throws(() => readCifarFolder(incomplete, small), /it lacks a\.bin, t\.bin \(the binary form, unpacked/);
});
