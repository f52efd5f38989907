import { floatBytes, packCodes } from "../export/onnx/packing.ts";
import { elementsOf } from "../graph/shape.ts";
import { elementTypes } from "../onnx/element-types.ts";
import { tensorOf } from "../onnx/tensor-data.ts";
import { type FileGraph, intAttribute } from "./file-graph.ts";

/** Codes of less than a byte, from 0 on. */
export interface PackedCodes {
  /** What the values in the file are named after. */
  readonly name: string;
  readonly codes: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly bits: 2 | 4;
}

/** Bytes that so many codes take: what fills no byte has one for each code. */
export function packedBytes(codes: number, bits: PackedCodes["bits"]): number {
  const perByte = 8 / bits;
  return Math.floor(codes / perByte) + (codes % perByte);
}

/**
 * Adds codes that lie in the parts of bytes, the first stretch of codes in the lowest bits of all bytes; gives the name of
 * their float values. Operators that every operator set has take the bytes apart, so that the file needs no newer one and no
 * type of less than 8 bits. onnxruntime computes that once, when it loads the file.
 */
export function addPackedCodes(graph: FileGraph, { name: stem, codes, dims, bits }: PackedCodes): string {
  const name = (what: string) => graph.freeName(`${stem}.${what}`);
  const attributes = [intAttribute("to", elementTypes.float)];
  const stored = (values: Uint8Array, what: string, cast: string) => {
    const tensor = graph.setInitializer(tensorOf(name(what), elementTypes.uint8, [values.length], values));
    return graph.addFirst("Cast", [tensor], { output: name(cast), attributes });
  };
  const op = (opType: string, inputs: readonly string[], what: string) =>
    graph.addFirst(opType, inputs, { output: name(what) });
  const perByte = 8 / bits;
  const bytes = Math.floor(elementsOf(dims) / perByte);
  const packed = Uint8Array.from({ length: bytes }, (_, index) => {
    let byte = 0;
    for (let part = 0; part < perByte; part++) byte |= (codes[part * bytes + index] ?? 0) << (part * bits);
    return byte;
  });
  const parts: string[] = [];
  if (bytes > 0) {
    let remaining = stored(packed, "packed", "bytes");
    const base = graph.setInitializer(tensorOf(name("number"), elementTypes.float, [], floatBytes([2 ** bits])));
    for (let part = 0; part < perByte - 1; part++) {
      const higher = op("Floor", [op("Div", [remaining, base], "quotient")], "higher");
      parts.push(op("Sub", [remaining, op("Mul", [higher, base], "above")], "part"));
      remaining = higher;
    }
    parts.push(remaining);
  }
  const rest = Array.from(codes).slice(perByte * bytes);
  if (rest.length > 0) parts.push(stored(packCodes(rest, 8), "rest", "tail"));
  const joined = graph.addFirst("Concat", parts, { output: name("joined"), attributes: [intAttribute("axis", 0)] });
  return op("Reshape", [joined, addShape(graph, name("shape"), dims)], "reshaped");
}

/** Adds what Reshape takes as its second input. */
export const addShape = (graph: FileGraph, name: string, dims: readonly number[]): string =>
  graph.setInitializer(
    tensorOf(name, elementTypes.int64, [dims.length], new Uint8Array(BigInt64Array.from(dims, BigInt).buffer)),
  );
