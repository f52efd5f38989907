import { at, first } from "../../core/elements.ts";
import { elementTypes } from "../../onnx/element-types.ts";
import { storedBits } from "../../quantization/levels.ts";
import { MIDDLE } from "./codes.ts";
import type { GraphBuilder } from "./graph-builder.ts";
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
  const bits = storedBits(weight.bits);
  if (bits === 8) return codesInBytes(graph, weight);
  const cast = (input: string, to: keyof typeof elementTypes) =>
    graph.node("Cast", [input], { name: `${input}.${to}`, attributes: { to: elementTypes[to] } });
  if (multiples === 1) {
    const signed = container === "int8";
    const zeroPoint = signed ? 0 : 2 ** (bits - 1);
    const stored = codes.map((code) => code + zeroPoint);
    return { codes: cast(graph.integers(name, stored, shape, { bits, signed }), container), zeroPoint };
  }
  // In int32: runtimes have no product of shorter integers.
  const learned = cast(graph.integers(name, codes, shape, { bits, signed: true }), "int32");
  const factor =
    typeof multiples === "number"
      ? graph.int32s(`${name}.multiple`, Int32Array.of(multiples), [])
      : cast(
          graph.integers(`${name}.multiples`, multiples, [multiples.length, ...shape.slice(1).map(() => 1)], {
            bits: 8,
            signed: true,
          }),
          "int32",
        );
  const products = graph.node("Mul", [learned, factor], { name: `${name}.multiplied` });
  if (container === "int8") return { codes: cast(products, container), zeroPoint: 0 };
  const middle = graph.int32s(`${name}.middle`, Int32Array.of(MIDDLE), []);
  const moved = graph.node("Add", [products, middle], { name: `${name}.moved` });
  return { codes: cast(moved, container), zeroPoint: MIDDLE };
}
