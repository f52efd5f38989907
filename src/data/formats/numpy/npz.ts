import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import yauzl from "yauzl";
import { messageOf, UserError } from "../../../core/errors.ts";
import { lookup } from "../../../core/lookup.ts";
import type { DataFile } from "../../dataset.ts";
import { maxHeaderBytes, type NpyHeader, parseNpyHeader } from "./npy.ts";

/** 8 GiB: more images than that belong into a folder, from which they are streamed. */
const maxArrayBytes = 8 * 2 ** 30;

export interface NpyArray extends NpyHeader {
  /** The elements. */
  readonly bytes: Uint8Array;
  /** For messages: the file and the array in it. */
  readonly place: string;
}

/** Gives the bytes per element, or refuses the header. */
type HeaderCheck = (header: NpyHeader, place: string) => number;

/** An open .npz file: a zip archive of .npy files. */
export class NpzFile {
  readonly path: string;
  readonly #zip: yauzl.ZipFile;
  readonly #entries: ReadonlyMap<string, yauzl.Entry>;

  private constructor(path: string, zip: yauzl.ZipFile, entries: ReadonlyMap<string, yauzl.Entry>) {
    this.path = path;
    this.#zip = zip;
    this.#entries = entries;
  }

  /** @throws UserError when it cannot be read or is no zip archive. */
  static async open(path: string): Promise<NpzFile> {
    try {
      // Before opening: opening a pipe waits for a writer.
      if (!statSync(path).isFile()) throw new Error("it is not a file");
      const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false });
      try {
        const entries = new Map<string, yauzl.Entry>();
        for await (const entry of zip.eachEntry()) entries.set(entry.fileName.replace(/\.npy$/, ""), entry);
        return new NpzFile(path, zip, entries);
      } catch (error) {
        zip.close();
        throw error;
      }
    } catch (error) {
      throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Names of its arrays. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Reads the header of one of its arrays, and judges it, before anything is unpacked beyond it.
   *
   * @param check Gives the bytes per element, or refuses the header.
   * @returns The header with the bytes that its elements take.
   * @throws UserError that names file and array.
   */
  async header(name: string, check: HeaderCheck): Promise<NpyHeader & { readonly bytes: number }> {
    const { uncompressedSize } = lookup(this.#entries, name);
    const header = await this.declared(name);
    return { ...header, bytes: elementsBytes(header, uncompressedSize, `${this.path}: ${name}`, check) };
  }

  /** What one of its arrays says that it is. @throws UserError where that is no plain array. */
  async declared(name: string): Promise<NpyHeader> {
    const place = `${this.path}: ${name}`;
    const head = await this.#head(name, place);
    if (head.length === 0) throw new UserError(`cannot read ${place}: it is empty`);
    return parseNpyHeader(head, place);
  }

  /** The first bytes of an array's file; their rest stays packed. */
  async #head(name: string, place: string): Promise<Buffer> {
    const entry = lookup(this.#entries, name);
    try {
      const stream = await this.#zip.openReadStreamPromise(entry);
      let head: Buffer = Buffer.alloc(0);
      // Streams of bytes give buffers.
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        head = Buffer.concat([head, chunk]);
        if (head.length >= Math.min(maxHeaderBytes, entry.uncompressedSize)) break;
      }
      return head;
    } catch (error) {
      throw unreadable(place, error);
    }
  }

  /**
   * Reads one of its arrays. No more is unpacked, nor allocated, than `check` lets pass.
   *
   * @param check Gives the bytes per element, or refuses the header.
   * @throws UserError that names file and array: damaged, cut off, or not what its header says.
   */
  async read(name: string, check: HeaderCheck): Promise<NpyArray> {
    const place = `${this.path}: ${name}`;
    const entry = lookup(this.#entries, name);
    try {
      const stream = await this.#zip.openReadStreamPromise(entry);
      let head: Buffer = Buffer.alloc(0);
      let target: { readonly header: NpyHeader; readonly bytes: Uint8Array } | undefined;
      let length = 0;
      let checksum = 0;
      // Streams of bytes give buffers.
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        checksum = crc32(chunk, checksum);
        if (target === undefined) {
          head = Buffer.concat([head, chunk]);
          if (head.length < Math.min(maxHeaderBytes, entry.uncompressedSize)) continue;
          const header = parseNpyHeader(head, place);
          target = { header, bytes: new Uint8Array(elementsBytes(header, entry.uncompressedSize, place, check)) };
          length = head.length - target.header.start;
          target.bytes.set(head.subarray(target.header.start));
        } else {
          target.bytes.set(chunk, length);
          length += chunk.length;
        }
      }
      if (target === undefined) throw new UserError(`cannot read ${place}: it is empty`);
      if (checksum !== entry.crc32) {
        throw new UserError(`cannot read ${place}: damaged (its CRC-32 is another); copy or save the file again`);
      }
      return { ...target.header, bytes: target.bytes, place };
    } catch (error) {
      throw unreadable(place, error);
    }
  }

  /** The file as it is stored. */
  async describe(): Promise<DataFile> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(this.path), hash);
    return { name: basename(this.path), bytes: statSync(this.path).size, sha256: hash.digest("hex") };
  }

  close(): void {
    this.#zip.close();
  }
}

const unreadable = (place: string, error: unknown): UserError =>
  error instanceof UserError
    ? error
    : new UserError(`cannot read ${place}: ${messageOf(error)}; copy or save the file again`, { cause: error });

/** Bytes of the elements that a header tells of. @throws UserError when the file has others, or they are too many. */
function elementsBytes(header: NpyHeader, stored: number, place: string, check: HeaderCheck): number {
  const size = header.shape.reduce((product, length) => product * length, check(header, place));
  if (header.start + size !== stored) {
    throw new UserError(
      `cannot read ${place}: ${stored} bytes, expected ${header.start + size} by its header; copy or save the file again`,
    );
  }
  if (size > maxArrayBytes) {
    throw new UserError(
      `cannot read ${place}: ${size} bytes, at most ${maxArrayBytes} are read into memory; use data.name folder for more`,
    );
  }
  return size;
}
