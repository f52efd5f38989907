import { z } from "zod";
import { at } from "../../../core/elements.ts";
import { messageOf, UserError } from "../../../core/errors.ts";
import { parseJson } from "../../../core/parse-json.ts";

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

interface Row {
  readonly cells: readonly string[];
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Rows of cells (RFC 4180): a cell in double quotes may hold separators, line ends and, doubled, quotes. In tab-separated
 * files a quote is a sign as any other.
 *
 * @throws UserError that names the line of a quote that does not end.
 */
function tableOf(content: string, separator: "," | "\t", place: string): readonly Row[] {
  const rows: Row[] = [];
  const quotes = separator === ",";
  let cells: string[] = [];
  let position = 0;
  let [line, began] = [1, 1];
  while (position < content.length) {
    let cell: string;
    if (quotes && content[position] === '"') {
      const end = closingQuote(content, position + 1);
      if (end < 0) throw new UserError(`cannot read ${place}: line ${line}: a quote begins there and does not end`);
      cell = content.slice(position + 1, end).replaceAll('""', '"');
      for (let from = content.indexOf("\n", position); from >= 0 && from < end; from = content.indexOf("\n", from + 1))
        line++;
      position = end + 1;
    } else {
      const end = nextOf(content, position, separator);
      cell = content.slice(position, end);
      position = end;
    }
    const isLast = position >= content.length || content[position] !== separator;
    cells.push(isLast && cell.endsWith("\r") ? cell.slice(0, -1) : cell);
    if (!isLast) {
      position++;
      if (position === content.length) cells.push("");
      else continue;
    }
    if (cells.length > 1 || cells[0] !== "") rows.push({ cells, line: began });
    cells = [];
    position = content.indexOf("\n", position);
    if (position < 0) break;
    position++;
    line++;
    began = line;
  }
  return rows;
}

function closingQuote(content: string, from: number): number {
  for (let position = content.indexOf('"', from); position >= 0; position = content.indexOf('"', position + 2)) {
    if (content[position + 1] !== '"') return position;
  }
  return -1;
}

function nextOf(content: string, from: number, separator: string): number {
  let position = from;
  while (position < content.length && content[position] !== separator && content[position] !== "\n") position++;
  return position;
}

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
