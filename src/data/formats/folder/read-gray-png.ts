import { crc32, inflateSync } from "node:zlib";
import { at } from "../../../core/elements.ts";

/** An image of a number for each pixel. */
export interface GrayImage {
  readonly width: number;
  readonly height: number;
  /** [height, width]: as they are stored, of a palette the index. */
  readonly pixels: Uint8Array;
}

/** 67 million, as of images. */
const maxPixels = 2 ** 26;
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const remedy = "save it as 8-bit gray or with a palette, where each value is a class";

/**
 * Reads a PNG of up to 8 bits a pixel, gray or with a palette, whose numbers stay what they are (PNG specification, third
 * edition). Image libraries make colours of a palette.
 *
 * @throws Error with the reason alone: no PNG, cut off, damaged, too large, or of colours.
 */
export function readGrayPng(content: Buffer): GrayImage {
  if (!content.subarray(0, signature.length).equals(signature)) throw new Error(`it is no PNG; ${remedy}`);
  const chunks = chunksOf(content);
  const [header] = chunks;
  if (header?.type !== "IHDR" || header.data.length !== 13) throw new Error("damaged: it begins with no header");
  const { data } = header;
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
  const [depth, colour, interlace] = [at(data, 8), at(data, 9), at(data, 12)];
  if (colour !== 0 && colour !== 3) throw new Error(`its pixels are colours; ${remedy}`);
  if (![1, 2, 4, 8].includes(depth)) throw new Error(`${depth} bits a pixel; ${remedy}`);
  if (interlace !== 0) throw new Error("it is interlaced; save it without");
  if (width === 0 || height === 0 || width * height > maxPixels)
    throw new Error(`${width} x ${height} pixels, expected 1 to ${maxPixels} in all`);
  const rowBytes = Math.ceil((width * depth) / 8);
  const packed = Buffer.concat(chunks.flatMap(({ type, data }) => (type === "IDAT" ? [data] : [])));
  const rows = inflateSync(packed, { maxOutputLength: height * (rowBytes + 1) });
  if (rows.length !== height * (rowBytes + 1)) throw new Error("damaged: it has fewer rows than its header says");
  const bytes = unfiltered(rows, { height, rowBytes });
  return { width, height, pixels: depth === 8 ? bytes : unpacked(bytes, { width, height, rowBytes, depth }) };
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(content: Buffer): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let position = signature.length;
  while (chunks.at(-1)?.type !== "IEND") {
    if (position + 12 > content.length) throw new Error("truncated");
    const end = position + 8 + content.readUInt32BE(position);
    if (end + 4 > content.length) throw new Error("truncated");
    if (crc32(content.subarray(position + 4, end)) !== content.readUInt32BE(end))
      throw new Error(`damaged: the checksum of its part at byte ${position} is another`);
    chunks.push({
      type: content.toString("latin1", position + 4, position + 8),
      data: content.subarray(position + 8, end),
    });
    position = end + 4;
  }
  return chunks;
}

/** Rows of bytes, each behind a byte for its filter: from the byte to the left, the one above, or both (section 9). */
function unfiltered(
  rows: Uint8Array,
  { height, rowBytes }: { readonly height: number; readonly rowBytes: number },
): Uint8Array {
  const bytes = new Uint8Array(height * rowBytes);
  for (let y = 0; y < height; y++) {
    const filter = at(rows, y * (rowBytes + 1));
    const from = y * (rowBytes + 1) + 1;
    const to = y * rowBytes;
    if (filter === 0) {
      bytes.set(rows.subarray(from, from + rowBytes), to);
      continue;
    }
    for (let x = 0; x < rowBytes; x++) {
      const left = x === 0 ? 0 : at(bytes, to + x - 1);
      const above = y === 0 ? 0 : at(bytes, to + x - rowBytes);
      const corner = x === 0 || y === 0 ? 0 : at(bytes, to + x - rowBytes - 1);
      bytes[to + x] = at(rows, from + x) + predicted(filter, left, above, corner);
    }
  }
  return bytes;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) throw new Error(`damaged: a row has filter ${filter}`);
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/** A byte for each pixel, of which several lie in one, the first in the highest bits. */
function unpacked(
  bytes: Uint8Array,
  {
    width,
    height,
    rowBytes,
    depth,
  }: { readonly width: number; readonly height: number; readonly rowBytes: number; readonly depth: number },
): Uint8Array {
  const perByte = 8 / depth;
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const byte = at(bytes, y * rowBytes + Math.floor(x / perByte));
    return (byte >> (8 - depth * ((x % perByte) + 1))) & ((1 << depth) - 1);
  });
}
