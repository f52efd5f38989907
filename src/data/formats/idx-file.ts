import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { codeOf, messageOf, UserError } from "../../core/errors.ts";
import type { DataFile } from "../dataset.ts";
import {
  type IdxArray,
  type IdxHeader,
  type IdxKind,
  idxHeaderBytes,
  maxIdxBytes,
  parseIdx,
  parseIdxHeader,
  requireLength,
} from "./idx.ts";
import { requireProportion } from "./unpacked-size.ts";

export interface IdxFile extends IdxArray {
  /** The file as it is stored, compressed or not. */
  readonly file: DataFile;
}

/**
 * Reads an IDX file, gzipped or not (told by its first bytes, not by its name: some downloads unpack and keep the
 * `.gz`). A plain file is read only when its length is what the header announces; a gzipped one is unpacked no further
 * than that.
 *
 * @throws UserError that names the file and the offset (in the unpacked bytes) of what is wrong; of a broken
 * gzip stream, the reason.
 */
export async function readIdxFile(path: string, kind: IdxKind): Promise<IdxFile> {
  const stored = readStored(path, kind);
  const zipped = isGzip(stored);
  const contents = zipped ? await unpack(stored, kind, path) : stored;
  const sha256 = createHash("sha256").update(stored).digest("hex");
  return {
    ...parseIdx(contents, kind, zipped ? unpackedPlace(path) : path),
    file: { name: basename(path), bytes: stored.length, sha256 },
  };
}

/** For messages: offsets count unpacked bytes. */
const unpackedPlace = (path: string): string => `${path} (unpacked)`;

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function readStored(path: string, kind: IdxKind): Buffer {
  try {
    // Before opening: opening a pipe waits for a writer.
    if (!statSync(path).isFile()) throw new UserError(`cannot read ${path}: it is not a file`);
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const start = Buffer.alloc(idxHeaderBytes(kind));
      const head = start.subarray(0, readSync(file, start, 0, start.length, 0));
      if (!isGzip(head)) requireLength(parseIdxHeader(head, kind, path), size, path);
      else if (size > maxIdxBytes)
        throw new UserError(`cannot read ${path}: ${size} bytes, at most ${maxIdxBytes} can be read`);
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Unpacks no more than a chunk past what the header announces, so that a small file cannot fill the memory. */
async function unpack(stored: Buffer, kind: IdxKind, path: string): Promise<Buffer> {
  const place = unpackedPlace(path);
  const chunks: Buffer[] = [];
  let length = 0;
  let header: IdxHeader | undefined;
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  gunzip.end(stored);
  try {
    // Streams of bytes give buffers.
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (header === undefined && length >= idxHeaderBytes(kind)) {
        header = parseIdxHeader(Buffer.concat(chunks), kind, place);
        requireProportion(path, { stored: stored.length, unpacked: header.bytes });
      }
      if (header !== undefined && length > header.bytes) {
        throw new UserError(
          `cannot read ${place}: trailing bytes at offset ${header.bytes}, where it should end by its header; copy or download the file again`,
        );
      }
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const cut = codeOf(error) === "Z_BUF_ERROR";
    // Where in the stream damage began is not known: a checksum at its end tells of most of it.
    const what = cut ? `truncated at offset ${stored.length}` : `broken (${messageOf(error)})`;
    throw new UserError(`cannot read ${path}: its gzip stream is ${what}; copy or download the file again`, {
      cause: error,
    });
  }
  return Buffer.concat(chunks, length);
}
