import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { data as dataSchema } from "../../../../src/config/sections/data-settings.ts";
import { encodePng } from "../../../../src/core/png.ts";
import { createSplit, createTrainingSplit } from "../../../../src/data/batches.ts";
import { decodeChunk } from "../../../../src/data/formats/folder/decode-chunk.ts";
import type { Recipe } from "../../../../src/data/formats/folder/decode-image.ts";
import type { Chunk } from "../../../../src/data/formats/folder/decode-pool.ts";
import { openFolder } from "../../../../src/data/formats/folder/open-folder.ts";
import { loadDataset } from "../../../../src/data/load-dataset.ts";
import { firstIndices } from "../../../../src/data/split.ts";
import type { TargetKind } from "../../../../src/data/targets.ts";
import { recordingReporter } from "../../../fixtures/reporter.ts";
import { all } from "../../../fixtures/splits.ts";

const root = t.testdir();

/** Images whose left part is dark and whose right part is bright, with masks that say so: 0 and 2, and 7 in a corner. */
async function write(name: string, parts: Readonly<Record<string, number>>): Promise<string> {
  for (const [part, count] of Object.entries(parts)) {
    mkdirSync(join(root, name, "images", part), { recursive: true });
    mkdirSync(join(root, name, "masks", part), { recursive: true });
    for (let index = 0; index < count; index++) {
      const [width, height] = [24 + 8 * index, 20];
      const edge = Math.round(width * (0.3 + 0.1 * index));
      const bright = (pixel: number) => pixel % width >= edge;
      const pixels = Buffer.from(Array.from({ length: width * height }, (_, pixel) => (bright(pixel) ? 250 : 5)));
      const raw = sharp(pixels, { raw: { width, height, channels: 1 } });
      const image = index % 2 === 0 ? await raw.png().toBuffer() : await raw.jpeg({ quality: 95 }).toBuffer();
      writeFileSync(join(root, name, "images", part, `${index}.${index % 2 === 0 ? "png" : "jpg"}`), image);
      const mask = pixels.map((value, pixel) => (pixel < 2 ? 7 : value > 100 ? 2 : 0));
      const png = encodePng({ width, height, channels: 1, pixels: mask });
      writeFileSync(join(root, name, "masks", part, `${index}.png`), png);
    }
  }
  return join(root, name);
}

const roads = await write("roads", { train: 5, val: 3 });
const masks = { folder: join(roads, "masks"), classes: ["dark", "never", "bright"], ignore: 7 };

const configOf = (settings: Record<string, unknown>) => {
  const folder = { name: "folder", folder: join(roads, "images"), size: [16, 16], channels: 1, workers: 1 };
  const config = dataSchema.parse({ ...folder, ...settings });
  if (config.name !== "folder") throw new Error(config.name);
  return config;
};

/** In this thread: threads take their time to start. */
const decodingHere = (recipe: Recipe) => ({
  decode: (chunk: Omit<Chunk, "id">) => decodeChunk(recipe, { id: 0, ...chunk }),
  close: async () => {},
});

function open(settings: Record<string, unknown>, targets: TargetKind | null) {
  const reporter = recordingReporter();
  const context = { seed: 1, reporter, targets, unlabelled: false };
  const { train, test, ...opened } = openFolder(configOf(settings), context, decodingHere);
  return {
    ...{ ...opened, reporter },
    train: createTrainingSplit(train, firstIndices(train.count), 1),
    test: createSplit(test, firstIndices(test.count)),
  };
}

t.test("masks are seen as their images are, through any change", async (t) => {
  const changes = { randomResizedCrop: { scale: [0.4, 1] }, crop: { padding: 3 }, flip: true };
  for (const settings of [{ augmentation: changes }, { resize: { fit: "stretch" } }, {}]) {
    const { train, targets, files } = open({ masks, ...settings }, "masks");
    t.strictSame(targets, { kind: "masks", names: masks.classes, size: [16, 16] });
    t.equal(files.length, 4, "two lists of images, two of masks");
    for (const epoch of [0, 1, 2]) {
      for (const { images, targets, count } of await all(train.epoch({ epoch, batchSize: 2 }))) {
        t.equal(targets.values.length, count * 256);
        const wrong = [...targets.values].filter((label, pixel) => {
          const value = images[pixel]!;
          // Beyond the image it is black, and between dark and bright it is neither.
          if (label === 255 || (value > 60 && value < 190)) return false;
          return label !== (value > 100 ? 2 : 0);
        });
        t.ok(wrong.length <= 4 * count, `${JSON.stringify(settings)}: ${wrong.length} of ${count} images`);
      }
    }
  }
  const { test } = open({ masks: { ...masks, values: [0, 1, 2] } }, "masks");
  const seen = (await all(test.batches({ batchSize: 8 }))).flatMap(({ targets }) => [...targets.values]);
  t.strictSame([...new Set(seen)].sort(), [0, 2], "the corners are cut off");
});

t.test("threads give the same", { timeout: 120_000 }, async (t) => {
  const config = configOf({ masks, augmentation: { flip: true } });
  const dataset = await loadDataset(config, { seed: 1, reporter: recordingReporter(), targets: "masks" });
  const here = open({ masks, augmentation: { flip: true } }, "masks");
  t.same(
    await all(dataset.train.epoch({ epoch: 1, batchSize: 3 })),
    await all(here.train.epoch({ epoch: 1, batchSize: 3 })),
  );
  await dataset.close();
});

t.test("masks that do not do are told by place, and what is wrong with them", async (t) => {
  const place = await write("wrong", { train: 5, val: 1 });
  const settings = { folder: join(place, "images"), masks: { ...masks, folder: join(place, "masks") } };
  const reading = async (more: Record<string, unknown> = {}) => {
    const { train, reporter, images } = open({ ...settings, ...more }, "masks");
    const batches = await all(train.batches({ batchSize: 5 }));
    return { batches, reporter, used: images?.usedFrom(0).map(({ name }) => name) };
  };
  const { used } = await reading();
  t.strictSame(used?.slice(4, 6), ["train/4.png", "../masks/train/0.png"], "masks are files that a run has used");
  const png = (width: number, height: number, value: number) =>
    encodePng({ width, height, channels: 1, pixels: new Uint8Array(width * height).fill(value) });
  writeFileSync(join(place, "masks/train/0.png"), png(24, 19, 0));
  writeFileSync(join(place, "masks/train/1.png"), png(32, 20, 3));
  writeFileSync(join(place, "masks/train/2.png"), "no image");
  for (const message of [
    /train\/0\.png: its mask .*masks\/train\/0\.png: it is 24 x 19, and its image 24 x 20 pixels/,
    /1\.png: 3 in row 0, column 0 is no class: expected 0, 1, 2, or 7 where a pixel does not count/,
    /2\.png: it is no PNG; save it as 8-bit gray/,
  ])
    await t.rejects(reading(), { name: "UserError", message });
  const { batches, reporter } = await reading({ onError: "skip" });
  t.strictSame([batches[0]!.count, batches[0]!.targets.values.length, reporter.warnings.length], [2, 512, 3]);
  rmSync(join(place, "masks/train/3.png"));
  await t.rejects(reading(), { message: /data\.masks\.folder: 1 of 5 images have no mask:\n {2}.*train\/3\.png\nput/ });
});

t.test("black and white masks say which of their values are classes", async (t) => {
  const place = await write("cells", { train: 1, val: 1 });
  const pixels = Uint8Array.from({ length: 24 * 20 }, (_, pixel) => (pixel % 24 < 12 ? 0 : 255));
  for (const part of ["train", "val"])
    writeFileSync(join(place, "masks", part, "0.png"), encodePng({ width: 24, height: 20, channels: 1, pixels }));
  const cells = { folder: join(place, "masks"), classes: ["background", "cell"] };
  const read = async (more: Record<string, unknown>) => {
    const { test } = open({ folder: join(place, "images"), masks: { ...cells, ...more } }, "masks");
    return [
      ...new Set((await all(test.batches({ batchSize: 1 }))).flatMap(({ targets }) => [...targets.values])),
    ].sort();
  };
  t.strictSame(await read({ values: [0, 255] }), [0, 1]);
  t.strictSame(await read({ ignore: 255 }), [0, 255]);
  await t.rejects(read({}), { message: /expected what two classes are, \[0, 255\] or \[0, 1\]/ });
  await t.rejects(read({ ignore: 9 }), {
    message: /255 in row .* no class: .*; if 255 is a class, .*values, as \[0, 255\]/,
  });
});

t.test("a table says values, labels or classes of images", async (t) => {
  const names = [...[0, 2, 4].map((index) => `train/${index}.png`), "train/1.jpg", "train/3.jpg"];
  const tested = ["val/0.png", "val/1.jpg", "val/2.png"];
  const table = (name: string, lines: readonly string[]) => {
    const file = join(root, `${name}.csv`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };
  const lines = [...names, ...tested].map((name, index) => `${index},./${name},${index % 2},${(index + 1) % 2}`);
  const file = table("good", ["size,image,wet,night", ...lines, "9,elsewhere.png,1,1"]);
  const labels = { file, image: "image" };
  const known = async (kind: TargetKind, more: Record<string, unknown> = {}) => {
    const { targets, test, files } = open({ labels: { ...labels, ...more } }, kind);
    const [batch] = await all(test.batches({ batchSize: 3 }));
    return [targets, [...batch!.targets.values], files.at(-1)?.name];
  };
  t.strictSame(await known("values"), [{ kind: "values", outputs: 3 }, [5, 1, 0, 6, 0, 1, 7, 1, 0], "good.csv"]);
  const wet = { columns: ["night", "wet"] };
  t.strictSame((await known("labels", wet))[0], { kind: "labels", names: ["night", "wet"] });
  t.strictSame((await known("labels", wet))[1], [0, 1, 1, 0, 0, 1]);
  t.strictSame(await known("classes", { columns: ["wet"] }), [
    { kind: "classes", names: ["0", "1"] },
    [1, 0, 1],
    "good.csv",
  ]);

  const refused = (given: Record<string, unknown>, kind: TargetKind, message: RegExp) =>
    t.rejects(known(kind, given), { name: "UserError", message });
  await refused(
    { columns: ["wheight"] },
    "values",
    /names no column "wheight" \(data\.labels\.columns\); it has size, image/,
  );
  await refused({}, "labels", /good\.csv: line 4: size is "2", expected 0 or 1/);
  await refused({}, "classes", /3 columns beside the images' \(size, wet, night\), and a class is one/);
  const bad = (name: string, ...more: readonly string[]) => ({
    file: table(name, ["image,value", ...more]),
    image: undefined,
  });
  await refused(bad("nan", "train/0.png,NaN"), "values", /nan\.csv: line 2: value is "NaN", expected a finite number/);
  await refused(bad("empty", "train/0.png,"), "values", /line 2: value is nothing, expected a finite number/);
  await refused(bad("huge", "train/0.png,1e300"), "values", /line 2: value is "1e300", expected a finite number/);
  await refused(bad("twice", "a.png,1", "a.png,2"), "values", /line 3: it is the second one of a\.png/);
  await refused(bad("short", "a.png"), "values", /line 2: 1 cells, and the first line has 2/);
  await refused(bad("few", "train/0.png,1"), "values", /no line for 4 of the images \(.*train\/1\.jpg.*\): add them/);
  await refused({ file: join(root, "none.csv") }, "values", /cannot read .*none\.csv/);
});

t.test("what a task needs is asked for", async (t) => {
  const refused = (settings: Record<string, unknown>, kind: TargetKind, message: RegExp) =>
    t.throws(() => open(settings, kind), { name: "UsageError", message });
  refused({}, "masks", /data\.masks: expected the folder of the masks that task\.name segmentation learns/);
  refused({ masks }, "values", /data\.labels: expected the table of the values that the task learns/);
  await refused(
    { masks },
    "classes",
    /data\.masks: expected nothing: .* for those of pixels take task\.name segmentation/,
  );
  const wrong = (settings: Record<string, unknown>) =>
    dataSchema.safeParse({ name: "folder", folder: "x", ...settings }).error?.issues.map(({ path }) => path.join("."));
  t.strictSame(wrong({ masks: { ...masks, values: [0, 1] } }), ["masks.values"]);
  t.strictSame(wrong({ masks: { folder: "m", classes: ["ground", "cell"] } }), ["masks.values"], "is 255 a class?");
  t.strictSame(wrong({ masks: { ...masks, values: [0, 1, 1] } }), ["masks.values"]);
  t.strictSame(wrong({ masks: { ...masks, ignore: 2 } }), ["masks.ignore"]);
  t.strictSame(wrong({ masks, labels: { file: "a.csv" } }), ["labels"]);
});
