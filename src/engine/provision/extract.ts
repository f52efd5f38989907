import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import yauzl from "yauzl";
import { UserError } from "../../base/errors.ts";

/** Extracts the entries that `place` gives a path for (relative to `folder`) from a zip archive. */
export async function extractZip(
  archive: string,
  folder: string,
  place: (name: string) => string | null,
): Promise<number> {
  const open = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open);
  const zip = await open(archive, { lazyEntries: true, strictFileNames: true });
  let extracted = 0;
  return new Promise((resolve, reject) => {
    const next = () => zip.readEntry();
    zip.on("error", reject);
    zip.on("end", () => resolve(extracted));
    zip.on("entry", (entry: yauzl.Entry) => {
      const target = entry.fileName.endsWith("/") ? null : place(entry.fileName);
      if (target === null) return next();
      if (target.split("/").includes("..") || target.startsWith("/")) {
        return reject(new UserError(`refusing ${archive}: its entry ${entry.fileName} leaves the folder`));
      }
      const path = join(folder, target);
      mkdirSync(dirname(path), { recursive: true });
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        extracted++;
        pipeline(stream, createWriteStream(path)).then(next, reject);
      });
    });
    next();
  });
}
