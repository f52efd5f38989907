import { createHash } from "node:crypto";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import t from "tap";
import { UsageError } from "../../../../src/core/errors.ts";
import { type ImageFiles, scanFolder } from "../../../../src/data/formats/folder/scan-folder.ts";

const root = t.testdir();

/** Files that look like images; scanning opens none. */
function tree(name: string, files: readonly string[]): string {
  const folder = join(root, name);
  for (const file of files) {
    const path = join(folder, file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, file);
  }
  return folder;
}
const shown = (folder: string, { paths, labels }: ImageFiles) =>
  paths.map((path, index) => `${labels[index]} ${relative(folder, path)}`);

t.test("ImageNet's layout: classes sorted, images of all classes in turn, any depth and letter case", async (t) => {
  const folder = tree("imagenet", [
    "train/n02/b.JPEG",
    "train/n02/a.png",
    "train/n02/deep/c.jpg",
    "train/n01/x.jpeg",
    "train/n01/notes.txt",
    "train/.hidden/y.jpg",
    "val/n01/v.jpg",
    "val/n02/w.PNG",
  ]);
  const { classes, train, validation, test, files } = scanFolder(folder, undefined);
  t.same(classes, ["n01", "n02"]);
  t.same(shown(folder, train), [
    "0 train/n01/x.jpeg",
    "1 train/n02/a.png",
    "1 train/n02/b.JPEG",
    "1 train/n02/deep/c.jpg",
  ]);
  t.equal(validation, null);
  t.same(shown(folder, test), ["0 val/n01/v.jpg", "1 val/n02/w.PNG"]);
  t.same(
    files.map(({ name, bytes }) => [name, bytes]),
    [
      ["train (list of 4 images)", 67],
      ["val (list of 2 images)", 26],
    ],
  );
});

t.test("the list's checksum is the same however the folder is spelled", async (t) => {
  const folder = tree("spelled", ["train/a/1.jpg", "train/b/2.jpg", "test/a/1.jpg"]);
  const sums = (place: string) => scanFolder(place, undefined).files.map(({ sha256 }) => sha256);
  const list = (text: string) => createHash("sha256").update(text).digest("hex");
  const plain = [list("/train/a/1.jpg 13\n/train/b/2.jpg 13\n"), list("/test/a/1.jpg 12\n")];
  t.same(sums(folder), plain);
  const here = relative(process.cwd(), folder);
  for (const spelling of [here, `./${here}`, `${folder}/`, `${here}/`, `${folder}/train/..`])
    t.same(sums(spelling), plain, spelling);
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  for (const spelling of [".", "./"]) t.same(sums(spelling), plain, spelling);
});

t.test("the list's checksum tells of other names and lengths, and not of another place", async (t) => {
  const folder = tree("checksums", ["train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg"]);
  const sums = (place = folder) => scanFolder(place, undefined).files.map(({ sha256 }) => sha256);
  const before = sums();
  const copy = join(root, "checksums-copy");
  cpSync(folder, copy, { recursive: true });
  t.same(sums(copy), before);
  writeFileSync(join(copy, "train", "a", "1.jpg"), "longer than before");
  t.not(sums(copy)[0], before[0]);
  t.equal(sums(copy)[1], before[1]);
});

t.test("with val and test both there, val is for validation", async (t) => {
  const folder = tree("three", ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "test/b/1.jpg"]);
  const { validation, test } = scanFolder(folder, undefined);
  t.same(shown(folder, validation!), ["0 val/a/1.jpg"]);
  t.same(shown(folder, test), ["1 test/b/1.jpg"]);
});

t.test("of class folders alone, a share of every class is for tests, always the same", async (t) => {
  const files = ["cat", "dog"].flatMap((name) => Array.from({ length: 10 }, (_, index) => `${name}/${index}.jpg`));
  const folder = tree("one-tree", files);
  const { classes, train, test } = scanFolder(folder, 0.2);
  t.same(classes, ["cat", "dog"]);
  t.same([train.paths.length, test.paths.length], [16, 4]);
  t.equal(test.labels.filter((label) => label === 0).length, 2);
  t.equal(new Set([...train.paths, ...test.paths]).size, 20);
  t.same(scanFolder(folder, 0.2).test, test);
  t.throws(() => scanFolder(folder, undefined), UsageError);
  t.throws(() => scanFolder(folder, undefined), /data\.testShare: .*one-tree has no folders train and val/);
  const few = tree("few", ["a/1.jpg", "a/2.jpg", "b/1.jpg"]);
  t.throws(() => scanFolder(few, 0.5), /data\.testShare: .*few\/b has 1 images: too few/);
});

t.test("what is missing is named", async (t) => {
  t.throws(() => scanFolder(join(root, "nowhere"), undefined), /data\.folder .*nowhere: there is no such folder/);
  const file = join(root, "file");
  writeFileSync(file, "");
  t.throws(() => scanFolder(file, undefined), /data\.folder .*file: it is not a folder/);
  const alone = tree("alone", ["train/a/1.jpg", "train/b/1.jpg"]);
  t.throws(() => scanFolder(alone, undefined), /beside train it has neither val, validation nor test/);
  const one = tree("one-class", ["train/a/1.jpg", "val/a/1.jpg"]);
  t.throws(() => scanFolder(one, undefined), /one-class\/train: only one class folder/);
  const flat = tree("flat", ["train/1.jpg", "val/1.jpg"]);
  t.throws(() => scanFolder(flat, undefined), /flat\/train: no class folder in it/);
  const empty = tree("empty", ["train/a/1.jpg", "train/b/notes.txt", "train/c/.x.jpg", "val/a/1.jpg"]);
  t.throws(() => scanFolder(empty, undefined), /empty\/train: no JPEG or PNG image in class folder b, c/);
  const stranger = tree("stranger", ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/z/1.jpg"]);
  t.throws(() => scanFolder(stranger, undefined), /stranger\/val: its class folder z is not in the training part/);
  rmSync(join(stranger, "val", "z"), { recursive: true });
  rmSync(join(stranger, "val", "a", "1.jpg"));
  t.throws(() => scanFolder(stranger, undefined), /stranger\/val: no class folder with a JPEG or PNG image/);
  const shared = tree("shared", ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"]);
  t.throws(() => scanFolder(shared, 0.2), /data\.testShare: .*has a folder for tests already/);
});

t.test("links that lead back to where they lie are refused by name", async (t) => {
  const folder = tree("loops", ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"]);
  const link = join(folder, "train", "b", "and-again");
  for (const target of [".", "..", "../../train/b"]) {
    symlinkSync(target, link);
    const message = (() => {
      try {
        return `${scanFolder(folder, undefined).train.paths.length} images`;
      } catch (error) {
        return `${error}`;
      }
    })();
    t.match(message, /^UserError: cannot read \S+: this link leads back to a folder that it lies in; remove it$/);
    t.ok(message.split("and-again").length <= 3, message);
    rmSync(link);
  }
});

t.test("links are followed; a broken one stays in the list, for reading to name it", async (t) => {
  const folder = tree("links", ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"]);
  symlinkSync(join(folder, "train", "a", "1.jpg"), join(folder, "train", "a", "2.jpg"));
  symlinkSync(join(folder, "gone.jpg"), join(folder, "train", "b", "2.jpg"));
  t.equal(scanFolder(folder, undefined).train.paths.length, 4);
});
