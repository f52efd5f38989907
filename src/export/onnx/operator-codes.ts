import { at, first } from "../../core/elements.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { MIDDLE } from "./codes.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { addRowCodes } from "./row-codes.ts";
import { widened, widestBits } from "./stored-widths.ts";
import type { OperatorCodes, StoredCodes } from "./weight-storage.ts";

/** Adds codes in 8 bits, multiplied. */
export function codesInBytes(graph: GraphBuilder, weight: OperatorCodes): StoredCodes {
  const { name, codes, shape, container, multiples } = weight;
  const signed = container === "int8";
  const zeroPoint = signed ? 0 : MIDDLE;
  const channelSize = codes.length / first(shape);
  const multipleOf = (index: number) =>
    typeof multiples === "number" ? multiples : at(multiples, Math.floor(index / channelSize));
  const stored = codes.map((code, index) => code * multipleOf(index) + zeroPoint);
  return { codes: graph.integers(name, stored, shape, { bits: 8, signed }), zeroPoint };
}

/** Adds codes in their own bits, packed, and what makes 8 bits of them: constant, so that runtimes do it once. */
export function packedCodes(graph: GraphBuilder, weight: OperatorCodes): StoredCodes {
  const { name, codes, shape, container, multiples } = weight;
  const channelBits = widened(weight, 2);
  const bits = widestBits(weight, 2);
  if (channelBits === null && bits === 8) return codesInBytes(graph, weight);
  const signed = container === "int8";
  if (multiples === 1 && channelBits === null) {
    const zeroPoint = signed ? 0 : 2 ** (bits - 1);
    const stored = codes.map((code) => code + zeroPoint);
    return { codes: cast(graph, graph.integers(name, stored, shape, { bits, signed }), container), zeroPoint };
  }
  if (multiples === 1 && channelBits !== null && signed) {
    return { codes: addRowCodes(graph, { ...weight, channelBits }, "int8"), zeroPoint: 0 };
  }
  // In int32: runtimes have no product of shorter integers.
  const learned =
    channelBits === null
      ? cast(graph, graph.integers(name, codes, shape, { bits, signed: true }), "int32")
      : addRowCodes(graph, { ...weight, channelBits }, "int32");
  const products = multiples === 1 ? learned : multiplied(graph, weight, learned);
  if (signed) return { codes: cast(graph, products, container), zeroPoint: 0 };
  const middle = graph.int32s(`${name}.middle`, Int32Array.of(MIDDLE), []);
  const moved = graph.node("Add", [products, middle], { name: `${name}.moved` });
  return { codes: cast(graph, moved, container), zeroPoint: MIDDLE };
}

const cast = (graph: GraphBuilder, input: string, to: keyof typeof elementTypes): string =>
  graph.node("Cast", [input], { name: `${input}.${to}`, attributes: { to: elementTypes[to] } });

/** Adds the product of codes in int32 and their multiples. */
function multiplied(graph: GraphBuilder, { name, shape, multiples }: OperatorCodes, learned: string): string {
  const factor =
    typeof multiples === "number"
      ? graph.int32s(`${name}.multiple`, Int32Array.of(multiples), [])
      : cast(
          graph,
          graph.integers(`${name}.multiples`, multiples, [multiples.length, ...shape.slice(1).map(() => 1)], {
            bits: 8,
            signed: true,
          }),
          "int32",
        );
  return graph.node("Mul", [learned, factor], { name: `${name}.multiplied` });
}
