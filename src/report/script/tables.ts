/** Tables sort by value and copy as CSV. */
export const tables = `
const valueOf = (cell) => cell.dataset.value ?? cell.textContent.trim();
const compare = (numeric, direction) => (one, other) => {
  if (one.value === "" || other.value === "") return (one.value === "") - (other.value === "");
  return direction * (numeric ? Number(one.value) - Number(other.value) : one.value.localeCompare(other.value, "en", { numeric: true }));
};
const sortBy = (table, head) => {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const order = compare(head.className !== "", up ? 1 : -1);
  const rows = all("tbody tr", table).map((row) => ({ row, value: valueOf(row.cells[head.cellIndex]) }));
  table.tBodies[0].append(...rows.sort(order).map(({ row }) => row));
};
const csvCell = (cell) => {
  const value = valueOf(cell);
  const isNumber = value !== "" && Number.isFinite(Number(value));
  const text = !isNumber && /^[=+@\\t\\r-]/.test(value) ? "'" + value : value;
  return /[",\\r\\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
};
const csvOf = (table) => all("thead tr, tbody tr", table).map((row) => [...row.cells].map(csvCell).join(",")).join("\\r\\n") + "\\r\\n";
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(make("textarea", { class: "hidden" }));
    area.value = text;
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) return "Not allowed";
  }
  return "Copied";
};
const setUpTables = (root) => {
  for (const table of all("table[data-sort]", root)) {
    for (const head of all("thead th", table)) {
      const button = make("button", { type: "button", text: head.textContent });
      button.addEventListener("click", () => sortBy(table, head));
      head.replaceChildren(button);
    }
  }
  for (const holder of all(".table", root)) {
    const table = holder.querySelector("table");
    toolbox(holder).append(tool("Copy CSV", holder.querySelector(".caption").textContent, () => copy(csvOf(table))));
  }
};
`;
