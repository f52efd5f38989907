/**
 * Compares two cells' values for sorting: as numbers, or as text in which numbers count as such ("fc2" before "fc10").
 * Cells without a value come last, whichever the direction.
 *
 * Example: ["10", "", "9"] as numbers, ascending → ["9", "10", ""].
 */
export function compareCells(
  one: string,
  other: string,
  { numeric, ascending }: { readonly numeric: boolean; readonly ascending: boolean },
): number {
  if (one === "" || other === "") return Number(one === "") - Number(other === "");
  const order = numeric ? Number(one) - Number(other) : one.localeCompare(other, "en", { numeric: true });
  return ascending ? order : -order;
}
