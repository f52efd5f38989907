import { csvText } from "./csv.ts";
import { all, make, one } from "./dom.ts";
import { compareCells } from "./order.ts";
import { tool, toolbox } from "./tools.ts";

/** Makes the tables below `root` sort by value and copy as CSV. */
export function setUpTables(root: ParentNode): void {
  for (const table of all(HTMLTableElement, "table[data-sort]", root)) {
    for (const head of all(HTMLTableCellElement, "thead th", table)) {
      const button = make("button", { type: "button" });
      button.addEventListener("click", () => sortBy(table, head));
      button.append(...head.childNodes);
      head.append(button);
    }
  }
  for (const holder of all(HTMLElement, ".table", root)) {
    const table = one(HTMLTableElement, "table", holder);
    const caption = one(HTMLElement, ".caption", holder).textContent;
    toolbox(holder).append(tool("Copy CSV", caption, () => copy(csvOf(table))));
  }
}

const cellValue = (cell: HTMLTableCellElement | undefined): string =>
  cell?.dataset.value ?? cell?.textContent.trim() ?? "";

function sortBy(table: HTMLTableElement, head: HTMLTableCellElement): void {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of all(HTMLTableCellElement, "thead th", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const numeric = head.className !== "";
  const rows = all(HTMLTableRowElement, "tbody tr:not(.group)", table)
    .map((row) => ({ row, value: cellValue(row.cells[head.cellIndex]) }))
    .sort((one, other) => compareCells(one.value, other.value, { numeric, ascending }));
  table.tBodies[0]?.append(...rows.map(({ row }) => row));
}

/** The table as it is shown, in its order, without rows that a filter hides; a total stays out. */
const csvOf = (table: HTMLTableElement): string =>
  csvText(
    all(HTMLTableRowElement, "thead tr, tbody tr:not(.group, .out)", table).map((row) =>
      [...row.cells].flatMap((cell) => [cellValue(cell), ...moreValues(cell)]),
    ),
  );

/** What stands below a cell's own value, or is in CSV alone. */
const moreValues = ({ dataset }: HTMLTableCellElement): readonly string[] =>
  dataset.more === undefined ? [] : JSON.parse(dataset.more).map(String);

async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    // Pages from a file may not use the clipboard everywhere; a selection may be copied.
    const area = document.body.appendChild(make("textarea", { class: "hidden" }));
    area.value = text;
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied ? "Copied" : "Not allowed";
  }
}
