import { createHash } from "node:crypto";
import { basename } from "node:path";
import { at, first } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { shortenNames } from "../../../core/shorten.ts";
import type { DataFile } from "../../dataset.ts";
import type { TargetDescription, TargetKind, Targets } from "../../targets.ts";
import { decodeText, readTextFile } from "../text/decode-text.ts";
import { type Row, tableOf } from "../text/table-rows.ts";

/** Where labels are, as a configuration has it. */
interface LabelSettings {
  readonly file: string;
  readonly image?: string | undefined;
  readonly columns?: readonly string[] | undefined;
}

/** What a table says of images. */
export interface LabelTable {
  readonly description: TargetDescription;
  readonly file: DataFile;
  /** @param names Paths of images below the folder, with /. @throws UserError that names those that have no line. */
  of(names: readonly string[]): Targets;
}

/**
 * Reads what is learned of images from a table: numbers, 0 or 1 for each label, or the name of a class.
 *
 * @throws UserError that names line and column: no such column, a cell that is missing or not of this kind, a path twice.
 */
export function readLabelTable(settings: LabelSettings, kind: Exclude<TargetKind, "masks">): LabelTable {
  const { file } = settings;
  const bytes = readTextFile(file);
  const [header, ...rows] = tableOf(decodeText(bytes, file), ",", file);
  const names = (header?.cells ?? []).map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UserError(`cannot read ${file}: its first line names the column ${JSON.stringify(twice)} twice`);
  const indexOf = (name: string, setting: string) => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    throw new UserError(
      `cannot read ${file}: its first line names no column ${JSON.stringify(name)} (${setting}); it has ${shortenNames(names)}`,
    );
  };
  const image = settings.image === undefined ? 0 : indexOf(settings.image, "data.labels.image");
  const columns =
    settings.columns?.map((name) => indexOf(name, "data.labels.columns")) ??
    [...names.keys()].filter((index) => index !== image);
  if (columns.length === 0)
    throw new UserError(`cannot read ${file}: it has the column ${shortenNames(names)} alone, and none to learn`);
  if (kind === "classes" && columns.length > 1)
    throw new UserError(
      `cannot read ${file}: it has ${columns.length} columns beside the images' (${shortenNames(columns.map((index) => at(names, index)))}), and a class is one: say which with data.labels.columns`,
    );
  const byImage = new Map<string, readonly string[]>();
  for (const row of rows) {
    const place = `${file}: line ${row.line}`;
    if (row.cells.length !== names.length)
      throw new UserError(`cannot read ${place}: ${row.cells.length} cells, and the first line has ${names.length}`);
    const name = at(row.cells, image).trim().replaceAll("\\", "/").replace(/^\.\//, "");
    if (byImage.has(name)) throw new UserError(`cannot read ${place}: it is the second one of ${name}`);
    byImage.set(name, cellsOf(row, { columns, names, kind, place }));
  }
  const classes = [...new Set([...byImage.values()].map((cells) => first(cells)))].sort();
  return {
    description: describe(kind, { classes, columns: columns.map((index) => at(names, index)), file }),
    file: { name: basename(file), bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
    of(images) {
      const missing = images.filter((name) => !byImage.has(name));
      if (missing.length > 0)
        throw new UserError(
          `${file}: no line for ${missing.length} of the images (${shortenNames(missing)}): add them, as paths below data.folder, or take the images away`,
        );
      return targetsOf(
        kind,
        images.flatMap((name) => byImage.get(name) ?? []),
        classes,
      );
    },
  };
}

interface CellContext {
  readonly columns: readonly number[];
  readonly names: readonly string[];
  readonly kind: TargetKind;
  readonly place: string;
}

/** The cells that are learned, checked. */
const cellsOf = ({ cells }: Row, { columns, names, kind, place }: CellContext): readonly string[] =>
  columns.map((column) => {
    const cell = at(cells, column).trim();
    const expected = problemOf(cell, kind);
    if (expected === null) return cell;
    const shown = cell === "" ? "nothing" : JSON.stringify(cell.slice(0, 40));
    throw new UserError(`cannot read ${place}: ${at(names, column)} is ${shown}, expected ${expected}`);
  });

function problemOf(cell: string, kind: TargetKind): string | null {
  if (kind === "classes") return cell === "" ? "the name of a class" : null;
  if (kind === "labels") return cell === "0" || cell === "1" ? null : "0 or 1";
  const isNumber = cell !== "" && Number.isFinite(Math.fround(Number(cell)));
  return isNumber ? null : "a finite number; leave such images out, or fill in what is missing";
}

function describe(
  kind: Exclude<TargetKind, "masks">,
  { classes, columns, file }: { readonly classes: string[]; readonly columns: string[]; readonly file: string },
): TargetDescription {
  switch (kind) {
    case "classes":
      if (classes.length >= 2) return { kind, names: classes };
      throw new UserError(
        `cannot read ${file}: ${classes.length} classes in it (${shortenNames(classes)}), expected two`,
      );
    case "labels":
      return { kind, names: columns };
    case "values":
      return { kind, outputs: columns.length };
  }
}

function targetsOf(kind: Exclude<TargetKind, "masks">, cells: readonly string[], classes: readonly string[]): Targets {
  switch (kind) {
    case "classes": {
      const indices = new Map(classes.map((name, index) => [name, index]));
      return { kind, values: Int32Array.from(cells, (cell) => indices.get(cell) ?? 0) };
    }
    case "labels":
      return { kind, values: Uint8Array.from(cells, Number) };
    case "values":
      return { kind, values: Float32Array.from(cells, Number) };
  }
}
