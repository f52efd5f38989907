import { at, first } from "./elements.ts";

/** Rows of cells as lines with columns, two spaces apart; the first row is the heading. */
export function textTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = first(rows).map((_, column) => Math.max(...rows.map((row) => at(row, column).length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(at(widths, column)))
      .join("  ")
      .trimEnd(),
  );
}
