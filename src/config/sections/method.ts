import { z } from "zod";
import { bayesianBits } from "./methods/bayesian-bits.ts";
import { fixed } from "./methods/fixed.ts";
import { fp32 } from "./methods/fp32.ts";
import { adaround, bitSplit, nearest } from "./methods/post-training.ts";
import { sensitivity } from "./methods/sensitivity.ts";

export const method = z
  .discriminatedUnion("name", [bayesianBits, fixed, fp32, sensitivity, nearest, adaround, bitSplit])
  .describe("how bit-widths are chosen, by its name");
