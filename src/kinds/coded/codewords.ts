import { at, last } from "../../core/elements.ts";
import { tuple } from "../../core/tuple.ts";
import type { Ops, Tensor } from "../../engine/ops.ts";
import { elementsOf } from "../../graph/shape.ts";

/** [tokens, groups·units] as [groups·tokens, units], group by group. */
export const byGroup = (x: Tensor, groups: number, ops: Ops): Tensor => {
  const [tokens, width] = tuple(x.shape, 2);
  const order = Int32Array.from(
    { length: tokens * groups },
    (_, row) => (row % tokens) * groups + Math.floor(row / tokens),
  );
  return ops.gather(ops.reshape(x, [tokens * groups, width / groups]), ops.tensor(order, [order.length]), 0);
};

/** [groups·tokens, units], group by group, as [tokens, groups·units]. */
export const byToken = (x: Tensor, groups: number, ops: Ops): Tensor => {
  const units = last(x.shape);
  const tokens = elementsOf(x.shape) / (groups * units);
  const order = Int32Array.from(
    { length: tokens * groups },
    (_, row) => (row % groups) * tokens + Math.floor(row / groups),
  );
  const rows = ops.gather(ops.reshape(x, [tokens * groups, units]), ops.tensor(order, [order.length]), 0);
  return ops.reshape(rows, [tokens, groups * units]);
};

/** The codeword with the largest response of each group of each token, token by token: [tokens·groups]. */
export function chosenCodes(responses: Tensor, groups: number, ops: Ops): Int32Array {
  const codewords = last(responses.shape);
  const rows = elementsOf(responses.shape) / codewords;
  const largest = ops.read(ops.argMax(ops.reshape(responses, [rows, codewords])));
  const tokens = rows / groups;
  return Int32Array.from({ length: rows }, (_, place) =>
    at(largest, (place % groups) * tokens + Math.floor(place / groups)),
  );
}

/**
 * The rows of a table of codewords that codes stand for, token by token: [tokens·groups].
 *
 * @param shape Of the table: [groups, codewords, units], or [1, codewords, units].
 */
export function codewordRows(codes: Int32Array, groups: number, shape: readonly number[]): Int32Array {
  const [tables, codewords] = tuple(shape, 3);
  return tables === 1 ? codes : codes.map((code, place) => (place % groups) * codewords + code);
}

/** The codewords of these rows of a table, [rows, units]. */
export const codewordsOf = (table: Tensor, rows: Int32Array, ops: Ops): Tensor =>
  ops.gather(asRows(table, ops), ops.tensor(rows, [rows.length]), 0);

/** What codes stand for, [tokens·groups], side by side: [tokens, groups·units]. */
export const decoded = (codes: Int32Array, groups: number, values: Tensor, ops: Ops): Tensor =>
  ops.reshape(codewordsOf(values, codewordRows(codes, groups, values.shape), ops), [
    codes.length / groups,
    groups * last(values.shape),
  ]);

/** A table of codewords as [rows, units]. */
const asRows = (table: Tensor, ops: Ops): Tensor => {
  const [tables, codewords, units] = tuple(table.shape, 3);
  return ops.reshape(table, [tables * codewords, units]);
};

/** What codes stand for, as `decoded`, on the host. */
export function decodeCodes(
  codes: Int32Array,
  groups: number,
  values: Float32Array,
  shape: readonly [tables: number, codewords: number, units: number],
): Float32Array {
  const [, , units] = shape;
  const table = new Float32Array(codes.length * units);
  for (const [place, row] of codewordRows(codes, groups, shape).entries()) {
    table.set(values.subarray(row * units, (row + 1) * units), place * units);
  }
  return table;
}
