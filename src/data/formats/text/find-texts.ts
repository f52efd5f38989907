import { createHash } from "node:crypto";
import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { messageOf, UsageError, UserError } from "../../../core/errors.ts";
import type { DataFile } from "../../dataset.ts";
import { setAside, subfolders, trainName } from "../folder/scan-folder.ts";
import { decodeText, readTextFile } from "./decode-text.ts";
import { type LabelledText, type RowFormat, rowFormats, type TextColumns } from "./labelled-rows.ts";

/** Texts for training and for tests, with what was read. */
export interface FoundTexts {
  readonly train: readonly LabelledText[];
  readonly test: readonly LabelledText[];
  readonly files: readonly DataFile[];
}

export interface FindOptions {
  readonly folder: string;
  /** Of texts that are not in parts yet. */
  readonly testShare?: number | undefined;
  readonly columns: TextColumns;
}

interface Part {
  readonly texts: readonly LabelledText[];
  readonly file: DataFile;
}

const testNames = ["test", "val", "validation", "valid"];
const textEnding = ".txt";

/**
 * Reads the texts of a folder: `train` and `test`, each a folder with one folder of .txt files for each class or a table
 * (.csv, .tsv, .jsonl); or one such folder or table, of which `testShare` is set aside, the same texts whatever the seed.
 *
 * @throws UserError that names what is missing, cannot be read, or is no UTF-8; UsageError where `testShare` does not fit.
 */
export function findTexts({ folder, testShare, columns }: FindOptions): FoundTexts {
  const folders = subfolders(folder, `data.folder ${folder}`);
  const tables = readdirSync(folder).filter(isTable).sort();
  const partOf = (name: string): Part | null => {
    const table = tables.find((file) => basename(file, extname(file)) === name);
    if (table !== undefined) return readTable(join(folder, table), columns);
    return folders.includes(name) ? readClasses(join(folder, name), name) : null;
  };
  const train = partOf(trainName);
  if (train === null) return divided(folder, { folders, tables, testShare, columns });
  if (testShare !== undefined) {
    throw new UsageError(`data.testShare: ${folder} has its training texts apart already; leave testShare away`);
  }
  const test = testNames.reduce<Part | null>((found, name) => found ?? partOf(name), null);
  if (test === null) throw new UserError(`cannot read data.folder ${folder}: beside ${trainName} it has no test`);
  return { train: train.texts, test: test.texts, files: [train.file, test.file] };
}

const isTable = (name: string): boolean => extname(name).slice(1).toLowerCase() in rowFormats && !name.startsWith(".");

/** One table, or class folders, and a share of it for tests. */
function divided(
  folder: string,
  {
    folders,
    tables,
    testShare,
    columns,
  }: Omit<FindOptions, "folder"> & { readonly folders: readonly string[]; readonly tables: readonly string[] },
): FoundTexts {
  const [table, ...others] = tables;
  if (others.length > 0 || (table === undefined && folders.length === 0)) {
    throw new UserError(
      `cannot read data.folder ${folder}: expected train and test, as folders or tables (.csv, .tsv, .jsonl), or one table or class folders; it has ${tables.join(", ") || "none"}`,
    );
  }
  const all = table === undefined ? readClasses(folder, basename(folder)) : readTable(join(folder, table), columns);
  if (testShare === undefined) {
    throw new UsageError(
      `data.testShare: ${folder} has no train and test: say which share of the texts is for tests, as testShare: 0.2`,
    );
  }
  const labels = [...new Set(all.texts.map(({ label }) => label))].sort();
  const parts = labels.map((label) => {
    const ofClass = all.texts.filter((text) => text.label === label);
    const part = setAside(ofClass, { share: testShare, stream: `test-share/${label}` });
    if (part.train.length > 0) return part;
    throw new UserError(
      `data.testShare: class ${JSON.stringify(label)} of ${folder} has ${ofClass.length} text: too few to train and to test on`,
    );
  });
  return { train: parts.flatMap(({ train }) => train), test: parts.flatMap(({ test }) => test), files: [all.file] };
}

function readTable(path: string, columns: TextColumns): Part {
  const bytes = readTextFile(path);
  // It has one of these endings.
  const format = extname(path).slice(1).toLowerCase() as RowFormat;
  const texts = rowFormats[format](decodeText(bytes, path), columns, path);
  if (texts.length === 0) throw new UserError(`cannot read ${path}: it has no text`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { texts, file: { name: basename(path), bytes: bytes.length, sha256 } };
}

/** Class folders with .txt files, at any depth. */
function readClasses(folder: string, part: string): Part {
  const hash = createHash("sha256");
  let bytes = 0;
  const texts = subfolders(folder, folder).flatMap((label) => {
    const paths = textsIn(join(folder, label));
    if (paths.length === 0)
      throw new UserError(`cannot read ${folder}: no ${textEnding} file in class folder ${label}`);
    return paths.map((path): LabelledText => {
      const content = readTextFile(path);
      hash.update(`/${path.slice(folder.length)} ${content.length}\n`).update(content);
      bytes += content.length;
      return { text: decodeText(content, path), label, place: path };
    });
  });
  return { texts, file: { name: `${part} (${texts.length} texts)`, bytes, sha256: hash.digest("hex") } };
}

/** @param above Real paths of the folders that it lies in: links that lead back to one would be followed for ever. */
function textsIn(folder: string, above: readonly string[] = []): readonly string[] {
  try {
    const real = realpathSync(folder);
    if (above.includes(real)) throw new Error("this link leads back to a folder that it lies in; remove it");
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort()
      .flatMap((name) => {
        const path = join(folder, name);
        if (statSync(path).isDirectory()) return textsIn(path, [...above, real]);
        return extname(name).toLowerCase() === textEnding ? [path] : [];
      });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
