import { type ElementType, elementTypes } from "../../onnx/element-types.ts";
import type { IntegerBits } from "../frozen-network.ts";

/** The integer type that holds exactly `bits` bits. */
export const integerType = (bits: IntegerBits, signed: boolean): ElementType =>
  elementTypes[signed ? (`int${bits}` as const) : (`uint${bits}` as const)];

const twoBits: readonly ElementType[] = [elementTypes.uint2, elementTypes.int2];
const sinceOpset21: readonly ElementType[] = [
  elementTypes.uint4,
  elementTypes.int4,
  elementTypes.uint16,
  elementTypes.int16,
];

/**
 * The lowest operator set whose QuantizeLinear and DequantizeLinear know all of `types`, with the file format's
 * version (ir_version) that came with it. 13 is the floor: the first with a scalar or per-channel scale; 17 has
 * LayerNormalization.
 */
export function operatorSet(
  types: Iterable<ElementType>,
  nodes: Iterable<{ readonly opType?: string }> = [],
): { readonly opset: number; readonly irVersion: number } {
  const used = [...types];
  if (used.some((type) => twoBits.includes(type))) return { opset: 25, irVersion: 13 };
  if (used.some((type) => sinceOpset21.includes(type))) return { opset: 21, irVersion: 10 };
  if ([...nodes].some(({ opType }) => opType === "LayerNormalization")) return { opset: 17, irVersion: 8 };
  return { opset: 13, irVersion: 7 };
}
