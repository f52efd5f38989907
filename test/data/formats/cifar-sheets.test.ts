import sharp from "sharp";
import t from "tap";
import { UserError } from "../../../src/core/errors.ts";
import { parseLabels, sheetToBinary } from "../../../src/data/formats/cifar-sheets.ts";
import { cifarBytes } from "../../fixtures/cifar.ts";

/** The sheet whose binary form is `cifarBytes(rows)`. */
function sheet(rows: number, width = 1024): Promise<Buffer> {
  const pixels = Buffer.alloc(rows * width * 3);
  for (let at = 0; at < rows * width; at++) {
    const row = Math.floor(at / width);
    pixels.set([row, 100 + row, at % width], 3 * at);
  }
  return sharp(pixels, { raw: { width, height: rows, channels: 3 } })
    .png()
    .toBuffer();
}

t.test("a sheet becomes records of the binary form", async (t) => {
  const bytes = await sheetToBinary(await sheet(3), [0, 1, 2], "sheet");
  t.ok(cifarBytes(3).equals(bytes));
});

t.test("a sheet of another shape, or none, is refused by name", async (t) => {
  await t.rejects(
    sheetToBinary(await sheet(3), [0, 1], "a.png"),
    /a\.png: a sheet of 1024 x 3 pixels in 3 channels, expected 1024 x 2 pixels in 3 channels/,
  );
  await t.rejects(sheetToBinary(await sheet(2, 1000), [0, 1], "a.png"), /1000 x 2 pixels/);
  const transparent = await sharp(await sheet(2))
    .ensureAlpha()
    .png()
    .toBuffer();
  await t.rejects(sheetToBinary(transparent, [0, 1], "a.png"), /in 4 channels, expected/);
  const whole = await sheet(40);
  await t.rejects(
    sheetToBinary(
      whole.subarray(0, whole.length / 2),
      Array.from({ length: 40 }, () => 0),
      "cut.png",
    ),
    /cannot read cut\.png: /,
  );
  const none = await sheetToBinary(Buffer.from("no picture"), [0], "text.png").catch((error: unknown) => error);
  t.type(none, UserError);
});

t.test("labels are a list of classes, one per image", async (t) => {
  const parse = (text: string) => parseLabels(Buffer.from(text), 3, "labels.json");
  t.same(parse("[9,0,1]"), [9, 0, 1]);
  t.throws(() => parse("[9,0,1,2]"), /labels\.json: 4 labels, expected 3/);
  t.throws(() => parse("[9,10,1]"), /labels\.json: .* at label 1/);
  t.throws(() => parse('["9",0,1]'), /at label 0/);
  t.throws(() => parse("{}"), /labels\.json: /);
  t.throws(() => parse("[9,0,"), /cannot read labels\.json: .*JSON/);
});
