import { UserError } from "../../../core/errors.ts";

/** A row of a table. */
export interface Row {
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
export function tableOf(content: string, separator: "," | "\t", place: string): readonly Row[] {
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
