import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import yauzl from "yauzl";
import { messageOf, UserError } from "../../core/errors.ts";
import type { EngineFile } from "./manifest.ts";

/** Where an entry of the wheel goes in the engine's folder; null for all that the engine does not need. */
export function placeInEngine(entry: string): string | null {
  const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.(?:so\.2|2\.dylib))$/.exec(entry)?.[1];
  if (library !== undefined) return `lib/${library}`;
  // What the C interface includes, and no C++ header of the other 12,000.
  const headers =
    /^tensorflow\/include\/((?:tensorflow\/c\/|xla\/tsl\/c\/|(?:tensorflow\/core|tsl)\/platform\/ctstring).*\.h)$/;
  const header = headers.exec(entry)?.[1];
  return header === undefined ? null : `include/${header}`;
}

/**
 * Extracts the entries of a zip archive that `place` gives a path, relative to `folder`, as a stream.
 *
 * @throws UserError for a damaged archive, and for one with an entry that would leave the folder.
 */
export async function extractZip(
  archive: string,
  folder: string,
  place: (entry: string) => string | null,
): Promise<EngineFile[]> {
  try {
    const zip = await promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(archive, {
      lazyEntries: true,
      strictFileNames: true,
    });
    try {
      return await extractEntries(zip, folder, place);
    } finally {
      zip.close();
    }
  } catch (error) {
    throw new UserError(`cannot unpack ${basename(archive)}: ${messageOf(error)}`, { cause: error });
  }
}

function extractEntries(
  zip: yauzl.ZipFile,
  folder: string,
  place: (entry: string) => string | null,
): Promise<EngineFile[]> {
  const files: EngineFile[] = [];
  const open = promisify<yauzl.Entry, Readable>(zip.openReadStream.bind(zip));
  return new Promise((resolve, reject) => {
    const extract = async (entry: yauzl.Entry) => {
      const target = entry.fileName.endsWith("/") ? null : place(entry.fileName);
      if (target === null) return;
      const path = join(folder, target);
      if (relative(folder, path).split(sep)[0] === "..")
        throw new Error(`its entry ${entry.fileName} leaves the folder`);
      mkdirSync(dirname(path), { recursive: true });
      files.push({ path: target, ...(await writeHashed(await open(entry), path, modeOf(entry))) });
    };
    zip.on("error", reject);
    zip.on("end", () => resolve(files));
    zip.on("entry", (entry: yauzl.Entry) => void extract(entry).then(() => zip.readEntry(), reject));
    zip.readEntry();
  });
}

/** Unix keeps a file's mode in the upper half; of it only counts whether the file is a program. */
const modeOf = (entry: yauzl.Entry): number => ((entry.externalFileAttributes >>> 16) & 0o100 ? 0o777 : 0o666);

/** Copies a stream to a new file, durably, and hashes it on the way. */
async function writeHashed(content: Readable, path: string, mode: number): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  const measure = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  };
  await pipeline(content, measure, createWriteStream(path, { flags: "wx", flush: true, mode }));
  return { bytes, sha256: hash.digest("hex") };
}
