/**
 * Rows as CSV (RFC 4180). A value that a spreadsheet would take for a formula gets an apostrophe before it; negative
 * numbers stay numbers.
 *
 * Example: [["a", "=1+1"], ['say "b"', "-2"]] → a,'=1+1 and "say ""b""",-2.
 */
export const csvText = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");

function csvCell(value: string): string {
  const isNumber = value !== "" && Number.isFinite(Number(value));
  const text = !isNumber && /^[=+@\t\r-]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
