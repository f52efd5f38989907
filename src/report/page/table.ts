import { type Markup, markup, trusted } from "./markup.ts";

export interface Column<Row> {
  readonly title: string;
  /** How the title is shown, where that is not as it stands. */
  readonly heading?: Markup;
  /** Numbers stand to the right and sort by value; pictures sort by their value and stand to the left. */
  readonly kind?: "text" | "number" | "picture";
  /** What sorting and CSV use; null: nothing to say, sorted last. */
  readonly value: (row: Row) => string | number | null;
  /** What is shown, where that is not the value itself. */
  readonly show?: (row: Row) => Markup | string;
}

export interface Table<Row> {
  /** Unique in the page; also the name of the CSV. */
  readonly id: string;
  readonly caption: string;
  /** The first names the row. */
  readonly columns: readonly Column<Row>[];
  /** Whether the first column stays in sight where the table scrolls sideways. */
  readonly pinned?: boolean;
  readonly rows: readonly Row[];
  /** Numbers of the runs that a row tells of: filters hide it when none of them is left. */
  readonly runsOf?: (row: Row) => readonly number[];
  /** A total below the rows, outside the sorting: one cell per column. */
  readonly total?: readonly (Markup | string)[];
}

/** A table that scrolls in its own container; the page's script makes it sort and copy as CSV. */
export function table<Row>({ id, caption, columns, pinned, rows, runsOf, total }: Table<Row>): Markup {
  return scrollable(
    { id, caption },
    markup`<table data-sort${pinned && trusted(' class="pinned"')} aria-labelledby="${id}-caption">
<thead><tr>${columns.map(({ title, heading, kind }) => markup`<th scope="col"${classOf(kind)}>${heading ?? title}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => markup`<tr${runsOf && ofRuns(runsOf(row))}>${columns.map((column, index) => cell(column, row, index === 0))}</tr>\n`)}</tbody>
${total && markup`<tfoot><tr>${total.map((text, index) => totalCell(text, columns[index]?.kind, index === 0))}</tr></tfoot>`}
</table>`,
  );
}

/** Puts a table below its caption so that the table alone, and neither caption nor page, scrolls sideways. */
export const scrollable = (
  { id, caption }: { readonly id: string; readonly caption: string },
  content: Markup,
): Markup =>
  markup`<div class="table" id="${id}"><p class="caption" id="${id}-caption">${caption}</p>
<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption">${content}</div></div>`;

/** Says which runs an element tells of. */
export const ofRuns = (numbers: readonly number[]): Markup => markup` data-runs="${numbers.join(" ")}"`;

const classOf = (kind: Column<unknown>["kind"]): Markup | null =>
  kind === "number" || kind === "picture" ? markup` class="${kind}"` : null;

function cell<Row>({ kind, value, show }: Column<Row>, row: Row, isName: boolean): Markup {
  const raw = value(row);
  const shown = show ? show(row) : raw;
  const data = markup` data-value="${raw ?? ""}"`;
  return isName
    ? markup`<th scope="row"${classOf(kind)}${data}>${shown}</th>`
    : markup`<td${classOf(kind)}${data}>${shown}</td>`;
}

const totalCell = (text: Markup | string, kind: Column<unknown>["kind"], isName: boolean): Markup =>
  isName ? markup`<th scope="row">${text}</th>` : markup`<td${classOf(kind)}>${text}</td>`;
