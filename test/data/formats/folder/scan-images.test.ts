import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import { scanImages } from "../../../../src/data/formats/folder/scan-images.ts";

const root = t.testdir();
let folders = 0;

/** A folder with files of these names. */
function folderOf(...files: string[]): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  for (const file of files) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

const names = ({ paths }: { readonly paths: readonly string[] }) => paths.map((path) => basename(path)).sort();

t.test("images of no class: a quarter is for tests, each is in one part", (t) => {
  const folder = folderOf("a.jpg", "b.png", "c.jpeg", "more/d.JPG", "notes.txt", ".hidden.png");
  const { classes, train, test, files } = scanImages(folder, undefined);
  t.strictSame(classes, []);
  t.strictSame([train.paths.length, test.paths.length], [3, 1]);
  t.strictSame([...names(train), ...names(test)].sort(), ["a.jpg", "b.png", "c.jpeg", "d.JPG"]);
  t.match(files, [{ name: "train (list of 3 images)" }, { name: "test (list of 1 images)" }]);
  t.strictSame(names(scanImages(folder, 0.5).test).length, 2);
  t.strictSame(scanImages(folder, undefined), scanImages(folder, undefined), "the same ones each time");
  t.end();
});

t.test("class folders keep their classes; one of a single image, or of one folder, has none", (t) => {
  const two = ["1.png", "2.png"];
  const classes = folderOf(...["cat", "dog"].flatMap((name) => two.map((file) => `${name}/${file}`)));
  t.match(scanImages(classes, undefined), { classes: ["cat", "dog"], train: { labels: Int32Array.of(0, 1) } });
  t.strictSame(scanImages(folderOf("cat/1.png", "cat/2.png"), undefined).classes, []);
  t.strictSame(scanImages(folderOf("cat/1.png", "cat/2.png", "dog/1.png"), undefined).classes, []);
  t.strictSame(
    scanImages(folderOf("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png", "3.png"), undefined).classes,
    [],
  );
  t.end();
});

t.test("parts stay as they are; one image serves for both, none is refused", (t) => {
  const parts = folderOf(
    ...["train", "val"].flatMap((part) => ["x/1.png", "y/1.png"].map((name) => `${part}/${name}`)),
  );
  t.match(scanImages(parts, undefined), { classes: ["x", "y"], files: [{ name: /train/ }, { name: /val/ }] });
  const { train, test } = scanImages(folderOf("only.png"), undefined);
  t.strictSame([names(train), names(test)], [["only.png"], ["only.png"]]);
  t.throws(() => scanImages(folderOf("notes.txt"), undefined), { message: /no JPEG or PNG image in it/ });
  t.throws(() => scanImages(join(root, "none"), undefined), { message: /there is no such folder/ });
  t.end();
});
