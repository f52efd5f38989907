import { join } from "node:path";
import { changedFile } from "../../../core/changed-file.ts";
import { at } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { lookup } from "../../../core/lookup.ts";
import { shortenList } from "../../../core/shorten.ts";
import type { DataFile, UsedImages } from "../../dataset.ts";

/** What a file held when it was read. */
export interface FileContent {
  readonly bytes: number;
  /** SHA-256, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** An image file as it was found. */
export interface ListedFile {
  /** Path below the folder, with /. */
  readonly name: string;
  readonly bytes: number;
}

const hashBytes = 32;

/**
 * What every image file of a folder held when it was first read, by number: one that holds something else later would
 * change without a word what a run learns. Beside the list of names it takes 41 bytes a
 * file, and 8 more for one that is used.
 */
export class FileContents implements UsedImages {
  readonly #folder: string;
  readonly #listed: readonly ListedFile[];
  /** [files, 32] */
  readonly #hashes: Buffer;
  /** -1: not read yet. */
  readonly #lengths: Float64Array;
  readonly #isUsed: Uint8Array;
  /** Numbers, in the order of first use. */
  #used: number[] = [];

  constructor(folder: string, listed: readonly ListedFile[]) {
    this.#folder = folder;
    this.#listed = listed;
    this.#hashes = Buffer.alloc(hashBytes * listed.length);
    this.#lengths = new Float64Array(listed.length).fill(-1);
    this.#isUsed = new Uint8Array(listed.length);
  }

  /** A file was read. @throws UserError that names it when it held something else before. */
  note(number: number, now: FileContent): void {
    const before = this.#contentOf(number);
    if (before === null) this.#keep(number, now);
    else this.#requireSame(number, before, now);
  }

  /** A file could not be read. @throws UserError that names it when it held something before. */
  noteUnreadable(number: number, reason: string): void {
    const before = this.#contentOf(number);
    if (before !== null) throw this.#changed(number, before, `it cannot be read: ${reason}`);
  }

  /** Files have become images of a batch that was taken. */
  use(numbers: ArrayLike<number>): void {
    for (const number of Array.from(numbers)) {
      // What could not be read at all held nothing.
      if (this.#isUsed[number] === 1 || this.#contentOf(number) === null) continue;
      this.#isUsed[number] = 1;
      this.#used.push(number);
    }
  }

  usedFrom(count: number): readonly DataFile[] {
    return this.#used
      .slice(count)
      .map((number) => ({ name: at(this.#listed, number).name, ...this.#storedContent(number) }));
  }

  expect(files: readonly DataFile[]): void {
    const numbers = new Map(this.#listed.map(({ name }, number) => [name, number]));
    this.#refuseGone(files.filter(({ name }) => !numbers.has(name)));
    const expected = files.map(({ name, ...before }) => {
      const number = lookup(numbers, name);
      const { bytes } = at(this.#listed, number);
      if (bytes !== before.bytes)
        throw changedFile("data", this.#pathOf(number), { before: `${before.bytes} bytes`, now: `${bytes} bytes` });
      const now = this.#contentOf(number);
      if (now === null) this.#keep(number, before);
      else this.#requireSame(number, before, now);
      return number;
    });
    // Those of the run come first, as if they had been used in this session.
    const used = [...expected, ...this.#used];
    this.#used = [];
    this.#isUsed.fill(0);
    this.use(used);
  }

  notAmong(files: readonly DataFile[]): readonly string[] {
    const known = new Set(files.map(({ name }) => name));
    return this.#listed.flatMap(({ name }) => (known.has(name) ? [] : [name]));
  }

  #refuseGone(gone: readonly DataFile[]): void {
    if (gone.length === 0) return;
    const list = shortenList(gone.map(({ name }) => `  ${join(this.#folder, name)}`)).join("\n");
    throw new UserError(
      `images are gone that the run has used (${gone.length}):\n${list}\nput them back, or train again with --force`,
    );
  }

  #requireSame(number: number, before: FileContent, now: FileContent): void {
    if (before.sha256 === now.sha256) return;
    throw this.#changed(number, before, `SHA-256 ${now.sha256}`);
  }

  #changed(number: number, before: FileContent, now: string): UserError {
    return changedFile("data", this.#pathOf(number), { before: `SHA-256 ${before.sha256}`, now });
  }

  #keep(number: number, { bytes, sha256 }: FileContent): void {
    this.#lengths[number] = bytes;
    this.#hashes.write(sha256, hashBytes * number, "hex");
  }

  /** null where it has not been read. */
  #contentOf(number: number): FileContent | null {
    return at(this.#lengths, number) < 0 ? null : this.#storedContent(number);
  }

  /** Of a file that has been read. */
  #storedContent(number: number): FileContent {
    const sha256 = this.#hashes.toString("hex", hashBytes * number, hashBytes * (number + 1));
    return { bytes: at(this.#lengths, number), sha256 };
  }

  #pathOf(number: number): string {
    return join(this.#folder, at(this.#listed, number).name);
  }
}
