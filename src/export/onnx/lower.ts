import type { OnnxForm } from "../../config/sections/export-settings.ts";
import type { FrozenNetwork } from "../frozen-network.ts";
import { lowerCompact } from "./lower-compact.ts";
import { lowerFp32 } from "./lower-fp32.ts";
import { lowerInt8 } from "./lower-int8.ts";
import { lowerNbits } from "./lower-nbits.ts";
import { lowerPacked } from "./lower-packed.ts";
import { lowerQonnx } from "./lower-qonnx.ts";
import type { Lowered, LowerOptions } from "./model-frame.ts";

const forms: Readonly<Record<OnnxForm, (network: FrozenNetwork, options: LowerOptions) => Lowered>> = {
  compact: lowerCompact,
  packed: lowerPacked,
  int8: lowerInt8,
  nbits: lowerNbits,
  fp32: lowerFp32,
  qonnx: lowerQonnx,
};

/** A network as an ONNX file of one form. */
export const lower = (network: FrozenNetwork, form: OnnxForm, options: LowerOptions): Lowered =>
  forms[form](network, options);
