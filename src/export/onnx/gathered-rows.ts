import { first } from "../../core/elements.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { codeBytes, storedCodeBits } from "../../quantization/code-bytes.ts";
import { storedBits } from "../../quantization/levels.ts";
import type { FrozenCodedEmbedding, FrozenEmbedding, IntegerTensor } from "../frozen-network.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { packCodes } from "./packing.ts";

interface Wiring {
  readonly graph: GraphBuilder;
  /** The numbers of tokens, [batch, tokens]. */
  readonly tokens: string;
  readonly output: string;
}

/**
 * Rows of a table by their tokens. What depends on tokens is computed for those of a batch alone, so that the table stays
 * as small in memory as it is in the file.
 */
export function addEmbedding({ id, weight }: FrozenEmbedding, { graph, tokens, output }: Wiring): void {
  if (weight.bits === 32) {
    const table = graph.floats(`${id}.weight`, weight.values, weight.shape);
    graph.node("Gather", [table, tokens], { name: id, output });
    return;
  }
  const bits = storedBits(weight.bits);
  const zero = 2 ** (bits - 1);
  const codes = weight.codes.map((code) => code + zero);
  const [rows, columns] = [first(weight.shape), weight.codes.length / first(weight.shape)];
  const picked = gatherCodes(graph, { name: `${id}.weight.codes`, codes, rows, columns, bits, tokens });
  const floats = graph.node("Cast", [picked], { name: `${id}.float`, attributes: { to: elementTypes.float } });
  const centred = graph.node("Sub", [floats, graph.floats(`${id}.weight.zero`, [zero], [])], { name: `${id}.centred` });
  graph.node("Mul", [centred, addScale(graph, id, weight)], { name: id, output });
}

const addScale = (graph: GraphBuilder, id: string, { scale }: IntegerTensor): string =>
  typeof scale === "number"
    ? graph.floats(`${id}.weight.scale`, [scale], [])
    : graph.floats(`${id}.weight.scale`, scale, [scale.length]);

/** Codes of tokens, and the codewords that they stand for, side by side. */
export function addCodedEmbedding(node: FrozenCodedEmbedding, { graph, tokens, output }: Wiring): void {
  const { id, codes, groups, values, valuesShape } = node;
  const [tables, codewords, units] = valuesShape;
  const rows = codes.length / groups;
  const bits = storedCodeBits(codewords);
  const picked = gatherCodes(graph, { name: `${id}.codes`, codes, rows, columns: groups, bits, tokens });
  const placed = tables === 1 ? picked : graph.node("Add", [picked, addOffsets(graph, node)], { name: `${id}.rows` });
  const table = graph.floats(`${id}.values`, values, [tables * codewords, units]);
  const parts = graph.node("Gather", [table, placed], { name: `${id}.parts` });
  graph.node("Reshape", [parts, graph.int64s(`${id}.shape`, [0, 0, groups * units])], { name: id, output });
}

/** Where the codewords of each group begin. */
function addOffsets(graph: GraphBuilder, { id, groups, valuesShape: [, codewords] }: FrozenCodedEmbedding): string {
  const starts = Int32Array.from({ length: groups }, (_, group) => group * codewords);
  return graph.int32s(`${id}.offsets`, starts, [groups]);
}

interface CodeRows {
  readonly name: string;
  /** Not below 0, [rows, columns]. */
  readonly codes: Int32Array | Uint16Array;
  readonly rows: number;
  readonly columns: number;
  readonly bits: ReturnType<typeof storedCodeBits>;
  readonly tokens: string;
}

/**
 * Adds codes and picks the rows of tokens; gives the name of them in int32, [batch, tokens, columns]. Codes of 2 and 4
 * bits lie in bytes, the first in the lowest bits: runtimes do not pick rows of shorter types.
 */
function gatherCodes(graph: GraphBuilder, { name, codes, rows, columns, bits, tokens }: CodeRows): string {
  const perByte = bits < 8 ? 8 / bits : 1;
  const stored = bits < 8 ? packedRows(codes, { rows, columns, bits }) : codes;
  const width = stored.length / rows;
  const table = graph.integers(name, stored, [rows, width], { bits: bits === 16 ? 16 : 8, signed: false });
  const picked = graph.node("Gather", [table, tokens], { name: `${name}.picked` });
  const whole = graph.node("Cast", [picked], { name: `${name}.int32`, attributes: { to: elementTypes.int32 } });
  if (perByte === 1) return whole;
  const places = Int32Array.from({ length: perByte }, (_, place) => 2 ** (place * bits));
  const last = graph.int64s(`${name}.axis`, [3]);
  const bytes = graph.node("Unsqueeze", [whole, last], { name: `${name}.bytes` });
  const moved = graph.node("Div", [bytes, graph.int32s(`${name}.places`, places, [perByte])], {
    name: `${name}.moved`,
  });
  const base = graph.int32s(`${name}.base`, Int32Array.of(2 ** bits), []);
  const parts = graph.node("Mod", [moved, base], { name: `${name}.parts` });
  const shape = graph.int64s(`${name}.shape`, [0, 0, width * perByte]);
  const side = graph.node("Reshape", [parts, shape], { name: `${name}.side-by-side` });
  if (width * perByte === columns) return side;
  const bounds = [
    graph.int64s(`${name}.start`, [0]),
    graph.int64s(`${name}.end`, [columns]),
    graph.int64s(`${name}.columns`, [2]),
  ];
  return graph.node("Slice", [side, ...bounds], { name: `${name}.cut` });
}

function packedRows(
  codes: CodeRows["codes"],
  { rows, columns, bits }: { readonly rows: number; readonly columns: number; readonly bits: CodeRows["bits"] },
): Uint8Array {
  const width = codeBytes(1, columns, bits);
  const packed = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    packed.set(packCodes(codes.subarray(row * columns, (row + 1) * columns), bits), row * width);
  }
  return packed;
}
