import { truncateSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { cifar100Layout } from "../../../src/data/formats/cifar-binary.ts";
import { loadCifar100 } from "../../../src/data/sets/cifar100.ts";
import { writeCifarFolder } from "../../fixtures/cifar.ts";
import { classNames } from "../../fixtures/tasks.ts";

const root = t.testdir();
const files = {
  layout: cifar100Layout,
  archiveFolder: "cifar-100-binary",
  train: ["train.bin"],
  test: ["test.bin"],
  imagesPerFile: { train: 50000, test: 10000 },
};

t.test("a file of the published size is read, with the classes in the order of their labels", async (t) => {
  const folder = writeCifarFolder(join(root, "whole"), { ...files, imagesPerFile: { train: 0, test: 3 } });
  // Zeros, but for the first images of the test file: holes that take no place on the disk.
  truncateSync(join(folder, "train.bin"), 50000 * 3074);
  truncateSync(join(folder, "test.bin"), 10000 * 3074);
  const { targets, train, test, imageShape } = loadCifar100(folder);
  const classes = classNames(targets);
  t.same([classes.length, classes[0], classes[9], classes[99]], [100, "apple", "bottle", "worm"]);
  t.same([train.count, test.count, ...imageShape], [50000, 10000, 32, 32, 3]);
  t.same([...test.targets.values.subarray(0, 4)], [0, 1, 2, 0]);
  t.equal(test.images[3072 * 2 + 1], 102, "green of image 2");
});

t.test("files of another size are refused: those of CIFAR-10 have one label byte less", async (t) => {
  const folder = writeCifarFolder(join(root, "ten"), { ...files, imagesPerFile: { train: 12, test: 3 } });
  t.throws(() => loadCifar100(folder), /train\.bin: truncated at offset 36888: expected 153700000 bytes/);
});
