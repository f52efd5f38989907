import { inflateSync } from "node:zlib";
import t from "tap";
import { encodePng } from "../../src/core/png.ts";

/** The chunks of a PNG file, by the lengths it states. */
function chunksOf(file: Buffer): { type: string; data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    chunks.push({ type: file.toString("latin1", at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

t.test("an image becomes a PNG file with its size, its colours and its rows", async (t) => {
  const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, index) => 10 * index);
  const file = encodePng({ width: 3, height: 2, channels: 3, pixels });
  t.equal(file.toString("latin1", 1, 4), "PNG");
  const [header, data, end] = chunksOf(file);
  t.strictSame([...header!.data], [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
  t.strictSame(
    [...inflateSync(data!.data)],
    [0, ...pixels.subarray(0, 9), 0, ...pixels.subarray(9)],
    "a filter byte of 0 before each row",
  );
  t.equal(end!.type, "IEND");
});

t.test("the end of every PNG file has the checksum that the specification gives", async (t) => {
  const file = encodePng({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(7) });
  t.equal(file.toString("hex").slice(-24), "0000000049454e44ae426082");
});
