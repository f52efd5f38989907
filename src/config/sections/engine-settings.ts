import { z } from "zod";
import { count } from "./numbers.ts";

export const engine = z
  .strictObject({
    kind: z
      .enum(["auto", "native", "wasm"])
      .default("auto")
      .describe("which TensorFlow: native where it is set up, else WebAssembly"),
    precision: z
      .enum(["float32", "bfloat16"])
      .default("float32")
      .describe(
        "of training's convolutions and matrix products: bfloat16 is faster where the processor has it; weights, gates, ranges and evaluation stay float32",
      ),
    threads: count
      .optional()
      .describe(
        "threads of the native engine, and of the runtime that verifies the exported file and measures its latency; without it, one per core",
      ),
  })
  .prefault({})
  .describe("the numerical engine");
