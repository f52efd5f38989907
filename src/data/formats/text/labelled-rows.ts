import { z } from "zod";
import { at } from "../../../core/elements.ts";
import { messageOf, UserError } from "../../../core/errors.ts";
import { parseJson } from "../../../core/parse-json.ts";
import { type Row, tableOf } from "./table-rows.ts";

/** A text with the class that it belongs to. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
  /** For messages: where it stands. */
  readonly place: string;
}

/** The names of what is read of each row. */
export interface TextColumns {
  readonly text: string;
  readonly label: string;
}

/** How the rows of a file lie in it, by its ending. */
export const rowFormats = {
  csv: (content, columns, place) => fromTable(tableOf(content, ",", place), columns, place),
  tsv: (content, columns, place) => fromTable(tableOf(content, "\t", place), columns, place),
  jsonl: fromJsonLines,
} as const satisfies Readonly<Record<string, (content: string, columns: TextColumns, place: string) => LabelledText[]>>;

export type RowFormat = keyof typeof rowFormats;

function fromTable([header, ...rows]: readonly Row[], columns: TextColumns, place: string): LabelledText[] {
  const names = header?.cells ?? [];
  const indexOf = (what: keyof TextColumns): number => {
    const index = names.indexOf(columns[what]);
    if (index >= 0) return index;
    throw new UserError(
      `cannot read ${place}: its first line names no column ${JSON.stringify(columns[what])}, the ${what}s; it has ${names.join(", ") || "nothing"}: say which with data.columns`,
    );
  };
  const [text, label] = [indexOf("text"), indexOf("label")];
  return rows.map(({ cells, line }) => {
    if (cells.length === names.length)
      return { text: at(cells, text), label: at(cells, label), place: `${place}: line ${line}` };
    throw new UserError(
      `cannot read ${place}: line ${line} has ${cells.length} cells, the first line ${names.length}: put a text with separators in double quotes`,
    );
  });
}

const cell = z.union([z.string(), z.number()]);

function fromJsonLines(content: string, columns: TextColumns, place: string): LabelledText[] {
  return content.split("\n").flatMap((written, index): LabelledText[] => {
    if (written.trim() === "") return [];
    const where = `${place}: line ${index + 1}`;
    const parsed = z.object({ [columns.text]: z.string(), [columns.label]: cell }).safeParse(jsonOf(written, where));
    if (!parsed.success) {
      throw new UserError(
        `cannot read ${where}: expected an object with the text ${JSON.stringify(columns.text)} and the class ${JSON.stringify(columns.label)}, text or number: say others with data.columns`,
      );
    }
    return [{ text: String(parsed.data[columns.text]), label: String(parsed.data[columns.label]), place: where }];
  });
}

function jsonOf(written: string, place: string): unknown {
  try {
    return parseJson(written);
  } catch (error) {
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  }
}
