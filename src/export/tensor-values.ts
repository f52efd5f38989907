import { decodeCodes } from "../kinds/coded/codewords.ts";
import type { FrozenCodedEmbedding, FrozenTensor } from "./frozen-network.ts";

/** The values of a stored tensor: codes · scale, float32, as the trained network sees them. */
export function valuesOf(tensor: FrozenTensor): Float32Array {
  if (tensor.bits === 32) return tensor.values;
  const { codes, scale } = tensor;
  if (typeof scale === "number") return Float32Array.from(codes, (code) => code * scale);
  return Float32Array.from(codes, (code, index) => code * scale[index % scale.length]!);
}

/** The table that codes stand for, [vocabulary, groups·units]. */
export const decodedTable = ({ codes, groups, values, valuesShape }: FrozenCodedEmbedding): Float32Array =>
  decodeCodes(Int32Array.from(codes), groups, values, valuesShape);
