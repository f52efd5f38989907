import { type Markup, markup, trusted } from "./markup.ts";

/** What a row has beside a column's own value. CSV has it in a column of its own; sorting does not ask for it. */
export interface Further<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null;
  /** How it stands below the column's own value, where not as it is; null of a row: not there. Null: it is in CSV alone. */
  readonly show?: ((row: Row) => string | null) | null;
}

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
  readonly further?: readonly Further<Row>[];
  /** Which rows can have a value: whether it is the same in all is asked of them alone. All, if left out. */
  readonly applies?: (row: Row) => boolean;
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
  /** Unique in the page: what links to a row. */
  readonly rowId?: (row: Row) => string;
  /** Leaves columns out that have one value in all rows, and says it above the table. */
  readonly hidesUniform?: boolean;
  /** Rows that follow each other and are of one group stand below a row of its own, which sorting takes away. */
  readonly group?: Group<Row>;
}

export interface Group<Row> {
  /** null: of none. */
  readonly of: (row: Row) => string | null;
  /** One cell per column, as of a total. */
  readonly cells: (name: string, rows: readonly Row[]) => readonly (Markup | string)[];
}

/** A table that scrolls in its own container; the page's script makes it sort and copy as CSV. */
export function table<Row>(whole: Table<Row>): Markup {
  const { id, caption, columns: all, pinned, rows, runsOf, total, rowId, group } = whole;
  const uniform = new Set(whole.hidesUniform ? all.filter((column, index) => isUniform(column, index, whole)) : []);
  const columns = all.filter((column) => !uniform.has(column));
  const left = (cells: readonly (Markup | string)[]) =>
    cells.filter((_, index) => all.some((column, at) => at === index && !uniform.has(column)));
  return scrollable(
    { id, caption, note: sameInAll([...uniform], rows) },
    markup`<table data-sort${pinned && trusted(' class="pinned"')} aria-labelledby="${id}-caption">
<thead><tr>${columns.map(({ title, heading, kind, further }) => markup`<th scope="col"${classOf(kind)}${more(further?.map((one) => one.title))}>${heading ?? title}</th>`)}</tr></thead>
<tbody>
${rows.map((row, place) => markup`${group && groupRow(group, { rows, place, columns, left })}<tr${rowId && markup` id="${rowId(row)}"`}${runsOf && ofRuns(runsOf(row))}>${columns.map((column, index) => cell(column, row, index === 0))}</tr>\n`)}</tbody>
${total && markup`<tfoot><tr>${left(total).map((text, index) => totalCell(text, columns[index]?.kind, index === 0))}</tr></tfoot>`}
</table>`,
  );
}

/** Whether a column says nothing that one sentence could not; not where it has a total. */
function isUniform<Row>(column: Column<Row>, index: number, { rows, total }: Table<Row>): boolean {
  const { value, further = [], applies = everywhere } = column;
  const isTotalled = total !== undefined && total[index] !== "";
  const isOne = ({ value }: Pick<Column<Row>, "value">) => new Set(rows.filter(applies).map(value)).size === 1;
  return index > 0 && !isTotalled && rows.length > 1 && isOne({ value }) && further.every(isOne);
}

const everywhere = (): boolean => true;

const isShown = <Row>({ show }: Further<Row>): boolean => show !== null;

/** Columns without any value are not worth a word. */
function sameInAll<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Markup | null {
  const told = columns.flatMap(({ applies = everywhere, further = [], ...column }) =>
    rows
      .filter(applies)
      .slice(0, 1)
      .flatMap((row) => [column, ...further].filter(({ value }) => value(row) !== null).map((one) => ({ one, row }))),
  );
  if (told.length === 0) return null;
  return markup`The same in all rows: ${told.map(({ one: { title, value, show }, row }, index) => markup`${index > 0 && ", "}${title.charAt(0).toLowerCase()}${title.slice(1)} ${show ? show(row) : value(row)}`)}.`;
}

function groupRow<Row>(
  { of, cells }: Group<Row>,
  {
    rows,
    place,
    columns,
    left,
  }: {
    readonly rows: readonly Row[];
    readonly place: number;
    readonly columns: readonly Column<Row>[];
    readonly left: (cells: readonly (Markup | string)[]) => readonly (Markup | string)[];
  },
): Markup | null {
  const nameAt = (index: number) => {
    const row = rows[index];
    return row === undefined ? null : of(row);
  };
  const name = nameAt(place);
  if (name === null || name === nameAt(place - 1)) return null;
  let end = place;
  while (nameAt(end) === name) end++;
  const texts = left(cells(name, rows.slice(place, end)));
  return markup`<tr class="group">${texts.map((text, index) => totalCell(text, columns[index]?.kind, index === 0))}</tr>\n`;
}

/** Puts a table below its caption so that the table alone, and neither caption nor page, scrolls sideways. */
export const scrollable = (
  { id, caption, note = null }: { readonly id: string; readonly caption: string; readonly note?: Markup | null },
  content: Markup,
): Markup =>
  markup`<div class="table" id="${id}"><p class="caption" id="${id}-caption">${caption}</p>
${note && markup`<p class="note">${note}</p>`}
<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-caption">${content}</div></div>`;

/** Says which runs an element tells of. */
export const ofRuns = (numbers: readonly number[]): Markup => markup` data-runs="${numbers.join(" ")}"`;

const classOf = (kind: Column<unknown>["kind"]): Markup | null =>
  kind === "number" || kind === "picture" ? markup` class="${kind}"` : null;

function cell<Row>({ kind, value, show, further }: Column<Row>, row: Row, isName: boolean): Markup {
  const raw = value(row);
  const shown = markup`${show ? show(row) : raw}${further && below(further, row)}`;
  const data = markup` data-value="${raw ?? ""}"${more(further?.map((one) => one.value(row) ?? ""))}`;
  return isName
    ? markup`<th scope="row"${classOf(kind)}${data}>${shown}</th>`
    : markup`<td${classOf(kind)}${data}>${shown}</td>`;
}

/** What CSV has beside a cell's own value, or a column's own title. */
const more = (values: readonly (string | number)[] | undefined): Markup | null =>
  values === undefined || values.length === 0 ? null : markup` data-more="${JSON.stringify(values)}"`;

function below<Row>(further: readonly Further<Row>[], row: Row): Markup | null {
  const texts = further.filter(isShown).flatMap(({ value, show }) => (show ? show(row) : value(row)) ?? []);
  return texts.length === 0 ? null : markup`<small>${texts.join(" ")}</small>`;
}

const totalCell = (text: Markup | string, kind: Column<unknown>["kind"], isName: boolean): Markup =>
  isName ? markup`<th scope="row">${text}</th>` : markup`<td${classOf(kind)}>${text}</td>`;
