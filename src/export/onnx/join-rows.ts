import { at } from "../../core/elements.ts";
import { elementsOf } from "../../graph/shape.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { placeBits, type RowGroup, rowGroups } from "../../quantization/row-groups.ts";
import type { IntegerGrid } from "./graph-builder.ts";

/** What joins rows: graphs that are built, and those of files that are changed. */
export interface RowGraph {
  /** Adds a node; gives the name of what it makes. */
  node(
    opType: string,
    inputs: readonly string[],
    options: { readonly name: string; readonly attributes: Readonly<Record<string, number>> },
  ): string;
  /** Adds an integer initializer, packed; gives its name. */
  integers(name: string, values: ArrayLike<number>, shape: readonly number[], grid: IntegerGrid): string;
  int32s(name: string, values: Int32Array, shape: readonly number[]): string;
}

/** A tensor whose output channels have widths of their own. */
interface MixedRows {
  /** Of what is added to the graph. */
  readonly name: string;
  /** That of the output channels. */
  readonly axis: number;
  readonly channelBits: ArrayLike<number>;
}

/**
 * Adds rows of each width, and what makes one tensor of them: Concat, and Gather where rows do not lie in runs. All of it
 * is constant, so that runtimes do it once. Gives the name of the tensor.
 *
 * @param add Adds the rows of one width; all of them in one type.
 */
export function joinRows(
  graph: RowGraph,
  { name, axis, channelBits }: MixedRows,
  add: (group: RowGroup) => string,
): string {
  const { groups, order } = rowGroups(channelBits);
  const parts = groups.map(add);
  const [only] = parts;
  const joined =
    parts.length === 1 && only !== undefined
      ? only
      : graph.node("Concat", parts, { name: `${name}.rows`, attributes: { axis } });
  if (order === null) return joined;
  return graph.node("Gather", [joined, addPlaces(graph, name, order)], {
    name: `${name}.ordered`,
    attributes: { axis },
  });
}

function addPlaces(graph: RowGraph, name: string, order: Uint32Array): string {
  const shape = [order.length];
  const bits = placeBits(order.length);
  if (bits === 32) return graph.int32s(`${name}.order`, Int32Array.from(order), shape);
  const places = graph.integers(`${name}.order`, order, shape, { bits, signed: false });
  return graph.node("Cast", [places], { name: `${name}.places`, attributes: { to: elementTypes.int32 } });
}

/** The codes of some output channels, and their shape, in the tensor's order. */
export function rowsOfCodes(
  { codes, shape, axis }: { readonly codes: Int32Array; readonly shape: readonly number[]; readonly axis: number },
  rows: readonly number[],
): { readonly codes: Int32Array; readonly shape: readonly number[] } {
  const channels = at(shape, axis);
  const inner = elementsOf(shape.slice(axis + 1));
  const outer = elementsOf(shape.slice(0, axis));
  const found = new Int32Array(outer * rows.length * inner);
  let place = 0;
  for (let block = 0; block < outer; block++) {
    for (const row of rows) {
      const from = (block * channels + row) * inner;
      for (let index = from; index < from + inner; index++) found[place++] = codes[index]!;
    }
  }
  return { codes: found, shape: shape.with(axis, rows.length) };
}
