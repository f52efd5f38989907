import { at } from "../../core/elements.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { placeBits, type RowGroup, rowGroups } from "../../quantization/row-groups.ts";
import type { GraphBuilder } from "./graph-builder.ts";

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
 * Adds codes with the rows of each width packed together, and what makes one tensor of `type` of them: a Cast of each,
 * Concat, and Gather where rows do not lie in runs. All of it is constant, so that runtimes do it once. Rows of 0 bits are
 * zeros that take no bytes. Gives the name of the tensor.
 */
export function addRowCodes(graph: GraphBuilder, rows: RowCodes, type: CommonType): string {
  const { name, axis, channelBits } = rows;
  const { groups, order } = rowGroups(channelBits);
  const parts = groups.map((group) => addGroup(graph, rows, group, type));
  const [only] = parts;
  const joined =
    parts.length === 1 && only !== undefined
      ? only
      : graph.node("Concat", parts, { name: `${name}.rows`, attributes: { axis } });
  if (order === null) return joined;
  const places = graph.integers(`${name}.order`, order, [order.length], {
    bits: placeBits(order.length),
    signed: false,
  });
  const indices = graph.node("Cast", [places], {
    name: `${name}.places`,
    attributes: { to: elementTypes.int32 },
  });
  return graph.node("Gather", [joined, indices], { name: `${name}.ordered`, attributes: { axis } });
}

function addGroup(graph: GraphBuilder, parts: RowCodes, { bits, rows }: RowGroup, type: CommonType): string {
  const { name, shape, axis } = parts;
  const own = shape.map((size, at) => (at === axis ? rows.length : size));
  if (bits === 0) {
    const zero = graph.integers(`${name}.zero`, [0], [], { bits: 8, signed: true });
    const zeros = graph.node("Expand", [zero, graph.int64s(`${name}.zeros.shape`, own)], { name: `${name}.zeros` });
    return cast(graph, zeros, "int8", type);
  }
  const packed = graph.integers(`${name}.int${bits}`, codesOf(parts, rows), own, { bits, signed: true });
  return cast(graph, packed, `int${bits}`, type);
}

const cast = (graph: GraphBuilder, value: string, from: string, to: CommonType): string =>
  from === to ? value : graph.node("Cast", [value], { name: `${value}.${to}`, attributes: { to: elementTypes[to] } });

/** The codes of some output channels, in the file's order. */
function codesOf({ codes, shape, axis }: RowCodes, rows: readonly number[]): Int32Array {
  const channels = at(shape, axis);
  const inner = axis === 0 ? codes.length / channels : 1;
  const outer = codes.length / channels / inner;
  const found = new Int32Array(outer * rows.length * inner);
  let place = 0;
  for (let block = 0; block < outer; block++) {
    for (const row of rows) {
      const from = (block * channels + row) * inner;
      found.set(codes.subarray(from, from + inner), place);
      place += inner;
    }
  }
  return found;
}
