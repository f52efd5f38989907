import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import t from "tap";
import { encodePng, pngChunk, pngSignature } from "../../../../src/core/png.ts";
import { readGrayPng } from "../../../../src/data/formats/folder/read-gray-png.ts";
import { expect } from "../../../fixtures/laws.ts";

interface Plan {
  readonly width: number;
  readonly depth: number;
  /** Of each row. */
  readonly filters: readonly number[];
  readonly colour?: number;
}

/** A PNG of these numbers, its rows filtered as the specification says. */
function png(values: ArrayLike<number>, { width, depth, filters, colour = 0 }: Plan): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(filters.length, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  const rowBytes = Math.ceil((width * depth) / 8);
  const rows = filters.map((_, y) => {
    const row = new Uint8Array(rowBytes);
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      row[bit >> 3]! |= values[y * width + x]! << (8 - depth - (bit & 7));
    }
    return row;
  });
  const filtered = filters.map((filter, y) => {
    const [row, above] = [rows[y]!, rows[y - 1] ?? new Uint8Array(rowBytes)];
    const guess = (x: number): number => {
      const [a, b, c] = [row[x - 1] ?? 0, above[x]!, above[x - 1] ?? 0];
      const nearest = [a, b, c].toSorted((one, other) => Math.abs(a + b - c - one) - Math.abs(a + b - c - other));
      return [0, a, b, Math.floor((a + b) / 2), nearest[0]!][filter]!;
    };
    return Uint8Array.from([filter, ...row.map((byte, x) => byte - guess(x))]);
  });
  return Buffer.concat([
    pngSignature,
    pngChunk("IHDR", header),
    ...(colour === 3 ? [pngChunk("PLTE", new Uint8Array(3 * 256))] : []),
    pngChunk("IDAT", deflateSync(Buffer.concat(filtered))),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

t.test("numbers of any depth come through any filter", async (t) => {
  const plans = fc.record({
    width: fc.integer({ min: 1, max: 11 }),
    depth: fc.constantFrom(1, 2, 4, 8),
    colour: fc.constantFrom(0, 3),
    filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
    seed: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 66, maxLength: 66 }),
  });
  const law = fc.asyncProperty(plans, async ({ seed, ...plan }) => {
    const [width, height] = [plan.width, plan.filters.length];
    const values = seed.slice(0, width * height).map((value) => value % (1 << plan.depth));
    const read = await readGrayPng(png(values, plan));
    expect(read.width === width && read.height === height, "size");
    expect(`${read.pixels}` === `${values}`, `${read.pixels} of ${values}`);
  });
  await t.resolves(fc.assert(law, { seed: 10, numRuns: 100 }));
});

t.test("files of others are read: of a palette, the index", async (t) => {
  const pixels = Buffer.from(Array.from({ length: 40 * 30 }, (_, at) => (at % 40 < 13 ? 0 : at % 40 < 26 ? 1 : 2)));
  const gray = sharp(pixels, { raw: { width: 40, height: 30, channels: 1 } }).toColourspace("b-w");
  t.strictSame(Buffer.from((await readGrayPng(await gray.png({ palette: false }).toBuffer())).pixels), pixels);
  const colours = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
  ];
  const painted = Buffer.from([...pixels].flatMap((value) => colours[value]!));
  const palette = await sharp(painted, { raw: { width: 40, height: 30, channels: 3 } })
    .png({ palette: true, colours: 3, effort: 1, dither: 0 })
    .toBuffer();
  const { pixels: read } = await readGrayPng(palette);
  t.equal(new Set(read).size, 3);
  t.equal(new Set(read.map((index, at) => 3 * index + pixels[at]!)).size, 3, "one index for each colour");
});

t.test("what is no mask is refused with the reason", async (t) => {
  const plan = { width: 4, depth: 8, filters: [0, 1, 2] };
  const good = png(new Uint8Array(12), plan);
  const refused = (bytes: Buffer, message: RegExp) => t.rejects(readGrayPng(bytes), { message });
  await refused(Buffer.from("GIF89a"), /it is no PNG; save it as 8-bit gray or with a palette/);
  const colours = encodePng({ width: 2, height: 1, channels: 3, pixels: new Uint8Array(6) });
  await refused(colours, /its pixels are colours; save it as 8-bit gray or with a palette/);
  await refused(good.subarray(0, 30), /truncated/);
  await refused(good.subarray(0, good.length - 1), /truncated/);
  const flipped = Buffer.from(good);
  flipped[45]! ^= 1;
  await refused(flipped, /damaged/);
  await refused(png(new Uint8Array(12), { ...plan, filters: [0, 7, 2] }), /damaged/);
  const wide = Buffer.from(good);
  wide.writeUInt32BE(2 ** 30, 16);
  wide.writeUInt32BE(crc32(wide.subarray(12, 29)), 29);
  await refused(wide, /damaged, or larger than 67108864 pixels/);
});

t.test("interlaced files are read", async (t) => {
  const pixels = Buffer.from(Array.from({ length: 13 * 9 }, (_, place) => (7 * place) % 256));
  const gray = sharp(pixels, { raw: { width: 13, height: 9, channels: 1 } }).toColourspace("b-w");
  t.strictSame(Buffer.from((await readGrayPng(await gray.png({ progressive: true }).toBuffer())).pixels), pixels);
});
