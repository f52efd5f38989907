import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { decodeImage, type Recipe } from "../../../../src/data/formats/folder/decode-image.ts";
import { picture, truncate } from "../../../fixtures/image-folder.ts";

const folder = t.testdir();
const file = (name: string, bytes: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const recipe: Recipe = {
  shape: [8, 8, 3],
  resize: { fit: "crop", shorterSide: 8 },
  augmentation: undefined,
  seed: 1,
};
const decode = async (path: string, changed: Partial<Recipe> = {}, epoch: number | null = null, index = 0) => {
  const used = { ...recipe, ...changed };
  const size = used.shape[0] * used.shape[1] * used.shape[2];
  const to = new Uint8Array(size + 2);
  await decodeImage(readFileSync(path), used, { epoch, index }, to, 1);
  t.same([to[0], to[size + 1]], [0, 0], "nothing is written beside its place");
  return to.slice(1, size + 1);
};

/** A picture of 24 x 8: red, green and blue squares side by side. */
const colours = Buffer.alloc(24 * 8 * 3);
for (let pixel = 0; pixel < 24 * 8; pixel++) colours[3 * pixel + Math.floor((pixel % 24) / 8)] = 255;
const striped = sharp(colours, { raw: { width: 24, height: 8, channels: 3 } });

t.test("the shorter side is scaled and the middle cut out", async (t) => {
  const path = file("stripes.png", await striped.png().toBuffer());
  const image = await decode(path);
  for (let pixel = 0; pixel < 64; pixel++) t.same([...image.subarray(3 * pixel, 3 * pixel + 3)], [0, 255, 0]);
});

t.test("stretched, the whole image is there", async (t) => {
  const path = file("stripes.png", await striped.png().toBuffer());
  const image = await decode(path, { resize: { fit: "stretch" } });
  t.ok(image[0]! > 200 && image[7 * 3 + 2]! > 200, "red at the left, blue at the right");
});

t.test("colour spaces, depths and transparency all become 8-bit colour, or gray", async (t) => {
  const gray = sharp(Buffer.alloc(64, 100), { raw: { width: 8, height: 8, channels: 1 } });
  const path = file("gray.png", await gray.toColourspace("b-w").png().toBuffer());
  t.same([...new Set(await decode(path))], [100]);
  const palette = file("palette.png", await striped.png({ palette: true }).toBuffer());
  t.same([...(await decode(palette)).subarray(0, 3)], [0, 255, 0]);
  const alpha = file("alpha.png", await striped.clone().ensureAlpha(0.5).png().toBuffer());
  t.same([...(await decode(alpha)).subarray(0, 3)], [0, 255, 0]);
  const deep = file("deep.png", await striped.clone().toColourspace("rgb16").png().toBuffer());
  t.equal((await sharp(readFileSync(deep)).metadata()).depth, "ushort");
  t.same([...(await decode(deep)).subarray(0, 3)], [0, 255, 0]);
  const leaf = Buffer.from(Array.from({ length: 64 }, () => [40, 150, 60]).flat());
  const printed = sharp(leaf, { raw: { width: 8, height: 8, channels: 3 } })
    .toColourspace("cmyk")
    .jpeg();
  const cmyk = file("cmyk.jpg", await printed.toBuffer());
  t.equal((await sharp(readFileSync(cmyk)).metadata()).space, "cmyk");
  const [red, green, blue] = await decode(cmyk);
  t.ok(Math.hypot(red! - 40, green! - 150, blue! - 60) < 40, `about the same colour: ${[red, green, blue]}`);
  const one = await decode(palette, { shape: [8, 8, 1] });
  t.equal(one.length, 64);
  t.ok(one[0]! > 100 && one[0]! < 255, `green's brightness: ${one[0]}`);
});

t.test("training changes images by seed, epoch and number; evaluation never", async (t) => {
  const path = file("picture.jpg", await picture(3, 0, "jpeg"));
  const crop = { randomResizedCrop: { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }, flip: true } as const;
  const augmentation = { augmentation: crop };
  const first = await decode(path, augmentation, 0);
  t.same(await decode(path, augmentation, 0), first);
  t.notSame(await decode(path, augmentation, 1), first, "another epoch");
  t.notSame(await decode(path, augmentation, 0, 1), first, "another number");
  t.notSame(await decode(path, { ...augmentation, seed: 2 }, 0), first, "another seed");
  t.same(await decode(path, augmentation, null), await decode(path));
  t.same(await decode(path, {}, 4), await decode(path), "without augmentation training sees the same");
  const plain = await decode(path);
  const flipped = new Uint8Array(plain.length);
  for (let at = 0; at < 64; at++) {
    const mirrored = 3 * (at - (at % 8) + 7 - (at % 8));
    flipped.set(plain.subarray(3 * at, 3 * at + 3), mirrored);
  }
  const seen = await Promise.all(
    Array.from({ length: 16 }, async (_, epoch) =>
      (await decode(path, { augmentation: { flip: true } }, epoch)).join(),
    ),
  );
  t.same(new Set(seen), new Set([plain.join(), flipped.join()]), "half of the epochs see it flipped");
});

t.test("a damaged file is refused with the reason", async (t) => {
  for (const format of ["jpeg", "png"] as const) {
    const path = file(`cut.${format}`, await picture(1, 1, format));
    truncate(path, 0.6);
    await t.rejects(decode(path), `truncated ${format}`);
    truncate(path, 0.02);
    await t.rejects(decode(path), `all but its first bytes lost, ${format}`);
  }
  await t.rejects(decode(file("empty.jpg", Buffer.alloc(0))), /neither JPEG nor PNG: it is empty/);
  await t.rejects(decode(file("text.png", Buffer.from("hello"))), /neither JPEG nor PNG: it starts with 68656c6c/);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  await t.rejects(decode(file("svg.png", Buffer.from(svg))), /neither JPEG nor PNG/);
  await t.rejects(decode(file("web.jpg", await striped.clone().webp().toBuffer())), /neither JPEG nor PNG/);
});

t.test("an image of absurd size is refused by its header", async (t) => {
  const png = Buffer.from(await striped.clone().png().toBuffer());
  png.writeUInt32BE(100_000, 16);
  png.writeUInt32BE(100_000, 20);
  await t.rejects(decode(file("huge.png", png)));
});
