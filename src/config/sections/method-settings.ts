import { z } from "zod";
import { autoq } from "./methods/autoq-settings.ts";
import { bayesianBits } from "./methods/bayesian-bits-settings.ts";
import { dpq } from "./methods/dpq-settings.ts";
import { fixed } from "./methods/fixed-settings.ts";
import { fp32 } from "./methods/fp32-settings.ts";
import { adaround, bitSplit, nearest } from "./methods/layerwise-settings.ts";
import { productQuantization } from "./methods/product-quantization-settings.ts";
import { sensitivity } from "./methods/sensitivity-settings.ts";

export const method = z
  .discriminatedUnion("name", [
    bayesianBits,
    fixed,
    fp32,
    sensitivity,
    autoq,
    dpq,
    nearest,
    adaround,
    bitSplit,
    productQuantization,
  ])
  .describe("how bit-widths are chosen, by its name");
