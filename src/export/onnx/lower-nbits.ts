import type { FrozenNetwork } from "../frozen-network.ts";
import { compact } from "./lower-compact.ts";
import { lowerIntegers } from "./lower-integers.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";
import type { WeightStorage } from "./weight-storage.ts";

/** The `nbits` form: as `compact`, but dense layers are MatMulNBits on float32 values. */
const nbits: WeightStorage = {
  ...compact,
  doc: "As compact, with dense layers in float32 whose weights stay packed in memory (com.microsoft.MatMulNBits).",
  blockDense: true,
};

/** An ONNX file in the `nbits` form, for onnxruntime alone. */
export const lowerNbits = (network: FrozenNetwork, options: LowerOptions): Lowered =>
  lowerIntegers(network, nbits, options);
