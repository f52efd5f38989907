import sharp from "sharp";
import { at } from "../../../core/elements.ts";
import { messageOf } from "../../../core/errors.ts";
import { pngChunk, pngSignature } from "../../../core/png.ts";

/** An image of a number for each pixel. */
export interface GrayImage {
  readonly width: number;
  readonly height: number;
  /** [height, width]: as they are stored, of a palette the index. */
  readonly pixels: Uint8Array;
}

/** 67 million, as of images. */
const maxPixels = 2 ** 26;
const remedy = "save it as 8-bit gray or with a palette, where each value is a class";

/**
 * Reads a PNG of up to 8 bits a pixel, gray or with a palette, whose numbers stay what they are. Image libraries make colours
 * of a palette: they are shown the same pixels as a gray image, without it (PNG specification, third edition, section 11).
 *
 * @throws Error with the reason alone: no PNG, cut off, damaged, too large, or of colours.
 */
export async function readGrayPng(content: Buffer): Promise<GrayImage> {
  if (!content.subarray(0, pngSignature.length).equals(pngSignature)) throw new Error(`it is no PNG; ${remedy}`);
  const [header, ...parts] = chunksOf(content);
  if (header?.type !== "IHDR" || header.data.length !== 13) throw new Error("damaged: it begins with no header");
  const [depth, colour] = [at(header.data, 8), at(header.data, 9)];
  if (colour !== 0 && colour !== 3) throw new Error(`its pixels are colours; ${remedy}`);
  if (![1, 2, 4, 8].includes(depth)) throw new Error(`${depth} bits a pixel; ${remedy}`);
  const gray = Buffer.from(header.data);
  gray[9] = 0;
  const pixels = parts.filter(({ type }) => type === "IDAT" || type === "IEND").map(({ whole }) => whole);
  const { data, info } = await sharp(Buffer.concat([pngSignature, pngChunk("IHDR", gray), ...pixels]), {
    ...{ failOn: "error", limitInputPixels: maxPixels, sequentialRead: true },
  })
    .toColourspace("b-w")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new Error(`damaged, or larger than ${maxPixels} pixels: ${messageOf(error)}`, { cause: error });
    });
  // Fewer bits than 8 come as shares of 255.
  const most = 2 ** depth - 1;
  const values = depth === 8 ? data : data.map((value) => Math.round((value * most) / 255));
  return { width: info.width, height: info.height, pixels: new Uint8Array(values) };
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
  /** With its length, type and checksum. */
  readonly whole: Buffer;
}

function chunksOf(content: Buffer): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let position = pngSignature.length;
  while (chunks.at(-1)?.type !== "IEND") {
    if (position + 12 > content.length) throw new Error("truncated");
    const end = position + 12 + content.readUInt32BE(position);
    if (end > content.length) throw new Error("truncated");
    chunks.push({
      type: content.toString("latin1", position + 4, position + 8),
      data: content.subarray(position + 8, end - 4),
      whole: content.subarray(position, end),
    });
    position = end;
  }
  return chunks;
}
