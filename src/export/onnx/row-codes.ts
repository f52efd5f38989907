import { elementTypes } from "../../onnx/element-types.ts";
import type { RowGroup } from "../../quantization/row-groups.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { joinRows, rowsOfCodes } from "./join-rows.ts";

/** The types in which rows of several widths meet. */
export type CommonType = "int8" | "int16" | "int32" | "float";

/** Codes whose output channels have widths of their own. */
interface RowCodes {
  /** Of what is added to the graph. */
  readonly name: string;
  /** In the file's order. */
  readonly codes: Int32Array;
  readonly shape: readonly number[];
  /** That of the output channels. */
  readonly axis: 0 | 1;
  readonly channelBits: Uint8Array;
}

/**
 * Adds codes with the rows of each width packed together, and what makes one tensor of `type` of them: a Cast of each, then
 * `joinRows`. Rows of 0 bits are zeros that take no bytes. Gives the name of the tensor.
 */
export const addRowCodes = (graph: GraphBuilder, rows: RowCodes, type: CommonType): string =>
  joinRows(graph, rows, (group) => addGroup(graph, rows, group, type));

function addGroup(graph: GraphBuilder, parts: RowCodes, { bits, rows }: RowGroup, type: CommonType): string {
  const { name } = parts;
  const { codes, shape } = rowsOfCodes(parts, rows);
  if (bits === 0) {
    const zero = graph.integers(`${name}.zero`, [0], [], { bits: 8, signed: true });
    const zeros = graph.node("Expand", [zero, graph.int64s(`${name}.zeros.shape`, shape)], { name: `${name}.zeros` });
    return cast(graph, zeros, "int8", type);
  }
  const packed = graph.integers(`${name}.int${bits}`, codes, shape, { bits, signed: true });
  return cast(graph, packed, `int${bits}`, type);
}

const cast = (graph: GraphBuilder, value: string, from: string, to: CommonType): string =>
  from === to ? value : graph.node("Cast", [value], { name: `${value}.${to}`, attributes: { to: elementTypes[to] } });
