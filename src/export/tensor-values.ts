import { codewordRows } from "../kinds/coded/codewords.ts";
import type { FrozenCodedEmbedding, FrozenTensor } from "./frozen-network.ts";

/** The values of a stored tensor: codes · scale, float32, as the trained network sees them. */
export function valuesOf(tensor: FrozenTensor): Float32Array {
  if (tensor.bits === 32) return tensor.values;
  const { codes, scale } = tensor;
  if (typeof scale === "number") return Float32Array.from(codes, (code) => code * scale);
  return Float32Array.from(codes, (code, index) => code * scale[index % scale.length]!);
}

/** The table that codes stand for, [vocabulary, groups·units]. */
export function decodedTable({ codes, groups, values, valuesShape }: FrozenCodedEmbedding): Float32Array {
  const [, , units] = valuesShape;
  const table = new Float32Array(codes.length * units);
  for (const [at, row] of codewordRows(Int32Array.from(codes), groups, valuesShape).entries()) {
    table.set(values.subarray(row * units, (row + 1) * units), at * units);
  }
  return table;
}
